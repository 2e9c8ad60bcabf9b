import Foundation
import KithClient
import KithWire
import RelayTestSupport
import TestSupport
import Testing

extension MeasuredRelay {
    @Suite("Limits of open files")
    struct DescriptorLimitTests {
        /// The relay's pause after it could not accept a connection, in milliseconds.
        private static let pauseMs = 500

        @Test(
            "a relay without descriptors pauses, logs it once, and serves again when there are some",
            .timeLimit(.minutes(10))
        )
        func descriptors() async throws {
            let folder = try RelayFolder()
            let relay = try await RelayProcess.start(in: folder, filesAtMost: 80)
            let honest = try await relay.connect()
            let start = ContinuousClock.now
            var failures = 0
            // Once more if the clients of a round left before the relay met the limit again.
            while failures < 2 {
                var wires: [WireClient] = []
                for _ in 0..<120 { wires.append(try await WireClient.connect(to: relay.address, .tcp)) }
                // The log line shows that the relay has met the limit. It is written once, in the first round.
                try await eventually("the relay has met the limit") {
                    folder.errorText.contains("cannot accept connections")
                }
                _ = try await honest.request(.ping)
                for wire in wires { wire.close() }
                try await eventually("the relay accepts a connection") { (try? await relay.connect()) != nil }
                failures = try await relay.metric("accept_failures_total")
            }
            // A pause follows each failure. Without it, there would be thousands.
            let pauses = Int((ContinuousClock.now - start) / .milliseconds(Self.pauseMs))
            #expect(failures <= pauses + 1)
            #expect(folder.errorText.components(separatedBy: "cannot accept connections").count == 2)
            try await relay.kill9()
        }
    }
}
