import KithSimulation
import Testing

@Suite("The cost of a message")
struct SendRecordingTests {
    @Test("a sender writes as many bytes for a message in a group of 60 as in a group of 2")
    func sameSize() throws {
        let few = try SendRecording(members: 2, messages: 10).bytesOfMessage
        let many = try SendRecording(members: 60, messages: 10).bytesOfMessage
        #expect(few > 0)
        #expect(many < few * 1.1, "\(many) and \(few) bytes")
        #expect(many > few * 0.9, "\(many) and \(few) bytes")
    }
}
