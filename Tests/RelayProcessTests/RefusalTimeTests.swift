import KithWire
import RelayTestSupport
import Testing

extension MeasuredRelay {
    @Suite("The time of refusals")
    struct RefusalTimeTests {
        @Test("the time of a refusal does not depend on later requests")
        func time() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let owner = try await relay.connect()
            let channel = KnownChannel()
            try await owner.open(channel)
            for id in [channel.id, .random()] {
                let wire = try await WireClient.open(to: relay.address)
                let guess = ClientFrame(requestID: 1, request: .present(channel: id, epoch: 0, tokens: [.random()]))
                var writer = WebSocketWriter()
                writer.write(guess, mask: 1)
                writer.write(Raw(bytes: [0, 0, 0, 0, 2]), mask: 1)
                let start = ContinuousClock.now
                wire.send(writer.bytes)
                // An invalid frame ends the connection, but must not end the wait.
                #expect(try await wire.nextFrame().requestID == 1)
                #expect(ContinuousClock.now - start > .milliseconds(20))
            }
            try await relay.kill9()
        }
    }
}
