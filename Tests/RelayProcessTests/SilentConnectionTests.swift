import Foundation
import KithClient
import KithWire
import NIOCore
import RelayTestSupport
import TestSupport
import Testing

extension MeasuredRelay {
    @Suite("Silent connections")
    struct SilentConnectionTests {
        /// Time for which a relay waits for `hello`, and the tolerance for a slow machine.
        static let allowed = Duration.seconds(10)
        static let slack = Duration.seconds(4)

        @Test(
            "2,000 silent or dripping connections are closed within 10 seconds, and cost nothing afterwards",
            .timeLimit(.minutes(5)))
        func closed() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let honest = try await HonestClient.start(at: relay)
            // A first run fills the caches.
            _ = try await relay.page("/metrics")
            let before = try await relay.settledBytes()
            let ends = try await wave(Count.of(2_000, quick: 200), at: relay)
            // The relay returns free memory every other second.
            try await eventually({ relay.residentBytes }) { $0 - before < 16 << 20 }
            let after = relay.residentBytes
            let report = try await honest.stop()

            let longest = ends.map(\.lived).max() ?? .zero
            print(
                "silent connections: \(ends.count), the longest lived \(longest); memory \(before >> 20) MiB before, "
                    + "\((ends.map(\.memory).max() ?? 0) >> 20) MiB at most, \(after >> 20) MiB after; honest client: \(report)"
            )
            for kind in SilentKind.allCases {
                let lived = ends.filter { $0.kind == kind }.map(\.lived).max() ?? .zero
                #expect(lived < Self.allowed + Self.slack, "\(kind): \(lived)")
            }
            #expect(report.refused == 0 && report.answered > 0)
            // The metrics have a listener of their own, whose connections are not counted.
            #expect(try await relay.metric("connections") == 0)
            try await relay.kill9()
        }

        private struct End: Sendable {
            let kind: SilentKind
            let lived: Duration
            let memory: Int
        }

        private func wave(_ count: Int, at relay: RelayProcess) async throws -> [End] {
            try await withThrowingTaskGroup(of: End.self) { group in
                for index in 0..<count {
                    let kind = SilentKind.allCases[index % SilentKind.allCases.count]
                    group.addTask {
                        let wire = try await kind.open(to: relay.address)
                        // The relay accepted the connection before this time, so by this clock it may live shorter but
                        // not longer.
                        let start = ContinuousClock.now
                        let drip = Task { await kind.drip(into: wire) }
                        await wire.waitUntilClosed()
                        drip.cancel()
                        let memory = index % 100 == 0 ? relay.residentBytes : 0
                        return End(kind: kind, lived: ContinuousClock.now - start, memory: memory)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
    }
}

/// The stage at which a connection stops, and whether it keeps sending single bytes.
enum SilentKind: CaseIterable, Sendable {
    case tcpSilent, tcpDripping, halfHandshake, tlsSilent, httpDripping, upgradedSilent, upgradedDripping, pinging

    func open(to address: RelayAddress) async throws -> WireClient {
        switch self {
        case .tcpSilent, .tcpDripping:
            return try await .connect(to: address, .tcp)
        case .halfHandshake:
            let wire = try await WireClient.connect(to: address, .tcp)
            // A record that announces a handshake message and contains its beginning.
            wire.send(
                [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03] + [UInt8](repeating: 7, count: 64))
            return wire
        case .tlsSilent, .httpDripping:
            return try await .connect(to: address)
        case .upgradedSilent, .upgradedDripping, .pinging:
            return try await .open(to: address, hello: false)
        }
    }

    /// Sends one byte after the other without end.
    func drip(into wire: WireClient) async {
        let bytes: [UInt8]
        switch self {
        case .tcpSilent, .halfHandshake, .tlsSilent, .upgradedSilent:
            return
        case .tcpDripping:
            bytes =
                [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03] + [UInt8](repeating: 7, count: 100)
        case .httpDripping:
            bytes = Array("GET /kith/v1 HTTP/1.1\r\nHost: relay\r\nX-Long: \(String(repeating: "x", count: 100))".utf8)
        case .upgradedDripping:
            bytes = [0x82, 0xfe, 0x01, 0x00, 1, 2, 3, 4] + [UInt8](repeating: 0, count: 100)
        case .pinging:
            // Complete frames of a kind that needs no hello, one after the other. The pauses are the attack: the connection
            // is never silent for long. Its end is what the test waits for.
            while !Task.isCancelled, wire.channel.isActive {
                wire.send([0x89, 0x80, 0, 0, 0, 9])
                try? await Task.sleep(for: .milliseconds(500))
            }
            return
        }
        // The pauses are the attack, as above.
        for byte in bytes where wire.channel.isActive && !Task.isCancelled {
            wire.send([byte])
            try? await Task.sleep(for: .milliseconds(400))
        }
    }
}
