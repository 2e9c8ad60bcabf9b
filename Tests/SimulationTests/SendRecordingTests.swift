import KithSimulation
import Testing

@Suite("What a message costs")
struct SendRecordingTests {
    @Test("a message writes as much at its sender in a group of 60 as in one of 2")
    func sameSize() throws {
        let few = try SendRecording(members: 2, messages: 10).bytesOfMessage
        let many = try SendRecording(members: 60, messages: 10).bytesOfMessage
        #expect(few > 0)
        #expect(many < few * 1.1, "\(many) and \(few) bytes")
        #expect(many > few * 0.9, "\(many) and \(few) bytes")
    }
}
