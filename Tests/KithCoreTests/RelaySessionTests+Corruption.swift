import KithWire
import Testing

@testable import KithCore

/// Frames that are cut or changed on the way.
extension RelaySessionTests {
    /// One valid frame of every type, as answers to requests that a session has made.
    private func everyFrame() throws -> [(session: Session, frame: [UInt8])] {
        var frames: [(Session, [UInt8])] = []
        func answer(_ request: Request, _ reply: Reply) throws {
            var session = try Self.open()
            let id = try session.submit(request, ticket: 1, now: Self.start).requestID
            frames.append((session, Self.frame(id, reply)))
        }
        let name = try #require(Name("bob"))
        let key = KeyPackageBytes(Array(0..<100)[...])
        var fresh = Session(timeouts: RelayTimeouts(), now: Self.start)
        frames.append((fresh, Self.frame(fresh.hello(pass: nil, now: Self.start).requestID, Self.welcome)))
        frames[0].0 = fresh
        try answer(.ping, .done)
        try answer(.present(channel: Self.channel, epoch: 0, tokens: []), .granted(.all))
        try answer(.append(channel: Self.channel, epoch: 0, id: .random(), payload: []), .accepted(seq: 300))
        try answer(.withdraw(channel: Self.channel), .keyPackage(key, isLastResort: true))
        try answer(.lookup(name: name), .error(RelayError(.notFound, "nothing there")))
        let (session, _, request) = try Self.following()
        for reply in [
            Self.entries(5...7), .whispered(channel: Self.channel, epoch: 0, payload: [1, 2]),
            .epochEnded(channel: Self.channel, epoch: 0), .error(RelayError(.gone, "gone")),
        ] {
            frames.append((session, Self.frame(request, reply)))
        }
        return frames
    }

    @Test("every truncation of every frame is an error")
    func truncations() throws {
        for (session, frame) in try everyFrame() {
            for length in 0..<frame.count {
                var copy = session
                #expect(throws: RelayConnectionError.self) {
                    try copy.receive(Array(frame[..<length]), now: Self.start)
                }
            }
        }
    }

    @Test("every corrupted byte of every frame is an error or another valid answer, and never anything else")
    func corruptions() throws {
        for (session, frame) in try everyFrame() {
            for index in frame.indices {
                for flip: UInt8 in [1, 2, 0x40, 0x80, 0xff] {
                    var corrupted = frame
                    corrupted[index] ^= flip
                    var copy = session
                    do throws(RelayConnectionError) {
                        _ = try copy.receive(corrupted, now: Self.start)
                    } catch {
                        switch error {
                        case .protocolViolation, .turnedAway: continue
                        default: Issue.record("an unexpected error: \(error)")
                        }
                    }
                }
            }
        }
    }
}
