import Foundation
import KithClient
import KithWire
import NIOCore
import RelayTestSupport
import Testing

extension MeasuredRelay {
    /// Attacks that are cheap for the attacker and must not be expensive for the relay.
    @Suite("The cost of attacks")
    struct AttackCostTests {
        @Test("an endless request head is cut off before it fills the memory", .timeLimit(.minutes(10)))
        func endlessHead() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let before = relay.residentBytes
            let heads = [
                "GET /kith/v1 HTTP/1.1\r\nHost: relay\r\nX-Long: ", "GET /",
                "POST /kith/v1 HTTP/1.1\r\nHost: r\r\nX: 1\r\nX: 1\r\n",
                "GET /kith/v1 HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                    + "Content-Length: 1000000000\r\n\r\n",
            ]
            let most = try await withThrowingTaskGroup(of: Int.self) { group in
                for head in heads + heads {
                    group.addTask {
                        let wire = try await WireClient.connect(to: relay.address)
                        wire.send(Array(head.utf8))
                        let filling = head.hasSuffix("X: 1\r\n") ? "X: 1\r\n" : "xxxxxx"
                        let chunk = Array(String(repeating: filling, count: 10_000).utf8)
                        var most = 0
                        for _ in 0..<1_000 {
                            guard (try? await wire.sendAndWait(chunk)) != nil, wire.channel.isActive else { break }
                            most = max(most, relay.residentBytes)
                        }
                        return most
                    }
                }
                return try await group.reduce(0, max)
            }
            print("endless heads: memory \(before >> 20) MiB before, \(most >> 20) MiB at most")
            #expect(relay.isAlive)
            #expect(most - before < 48 << 20)
            try await relay.kill9()
        }

        @Test("answers much larger than their requests wait until the client reads", .timeLimit(.minutes(10)))
        func amplification() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let owner = try await relay.connect()
            var inboxes: [KnownChannel] = []
            for _ in 0..<20 {
                let inbox = KnownChannel()
                try await owner.open(inbox)
                let package = KeyPackageBytes([UInt8](repeating: 7, count: WireLimits.keyPackage)[...])
                _ = try await owner.request(.deposit(channel: inbox.id, keyPackages: [], lastResort: package))
                inboxes.append(inbox)
            }
            let before = try await relay.settledBytes()
            // Each connection asks for 1,000 packages of 64 KiB, and reads none.
            var wires: [WireClient] = []
            for _ in 0..<4 {
                let wire = try await WireClient.open(to: relay.address, receiveBuffer: 32 << 10)
                for inbox in inboxes {
                    wire.send([
                        ClientFrame(requestID: 1, request: .present(channel: inbox.id, epoch: 0, tokens: inbox.tokens))
                    ])
                    _ = try await wire.nextFrame()
                }
                try await wire.setReading(false)
                wire.send(
                    inboxes.flatMap { inbox in
                        (0..<50).map { ClientFrame(requestID: $0, request: .withdraw(channel: inbox.id)) }
                    })
                wires.append(wire)
            }
            let during = try await relay.grownBytes()
            print(
                "unread answers: memory \(before >> 20) MiB before, \(during >> 20) MiB with \(wires.count) that do not read"
            )
            // Each connection may cost its backlog, twice for bytes that are encrypted already.
            #expect(during - before < (wires.count << 21) + (8 << 20))
            try await relay.kill9()
        }

        @Test("requesting the same entries again and again does not delay other clients", .timeLimit(.minutes(10)))
        func followingOverAndOver() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder(), limits: ["connections-per-address": 1_000])
            let owner = try await relay.connect()
            let channel = KnownChannel()
            try await owner.open(channel)
            for _ in 0..<60 { try await owner.append([UInt8](repeating: 7, count: 4_000), to: channel) }
            var wires: [WireClient] = []
            for _ in 0..<40 {
                let wire = try await WireClient.open(to: relay.address)
                wire.discardFrames()
                wire.send([
                    ClientFrame(requestID: 1, request: .present(channel: channel.id, epoch: 0, tokens: channel.tokens))
                ])
                wires.append(wire)
            }
            // Each connection requests as often as its rate allows.
            let attack = Task { [wires] in
                while !Task.isCancelled {
                    for wire in wires {
                        let follow = Request.follow(channel: channel.id, epoch: 0, fromSeq: 1)
                        wire.send((0..<20).map { ClientFrame(requestID: $0, request: follow) })
                    }
                    // Only limits the load. Nothing waits for the end of the pause.
                    try? await Task.sleep(for: .milliseconds(100))
                }
            }
            var longest = Duration.zero
            let end = ContinuousClock.now + .seconds(8)
            while ContinuousClock.now < end {
                let start = ContinuousClock.now
                let client = try await relay.connect()
                try await client.present(channel)
                #expect(try await client.entries(of: channel).count == 60)
                longest = max(longest, ContinuousClock.now - start)
                await client.close()
            }
            attack.cancel()
            print("repeated follows: an honest client's connection and catching up took at most \(longest)")
            // The bound checks that the other client is not delayed, not its speed.
            #expect(longest < .seconds(15))
            try await relay.kill9()
        }

        @Test(
            "following many channels without reading costs no more than following one", .timeLimit(.minutes(10)))
        func followingMany() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let owner = try await relay.connect()
            var channels: [KnownChannel] = []
            for _ in 0..<150 {
                let channel = KnownChannel()
                try await owner.open(channel)
                for _ in 0..<2 { try await owner.append([UInt8](repeating: 7, count: 200 << 10), to: channel) }
                channels.append(channel)
            }
            let before = try await relay.settledBytes()
            let wire = try await WireClient.open(to: relay.address, receiveBuffer: 32 << 10)
            wire.send(
                channels.map { channel in
                    ClientFrame(requestID: 1, request: .present(channel: channel.id, epoch: 0, tokens: channel.tokens))
                })
            for _ in channels { _ = try await wire.nextFrame() }
            try await wire.setReading(false)
            wire.send(
                channels.enumerated().map { index, channel in
                    ClientFrame(
                        requestID: UInt32(index), request: .follow(channel: channel.id, epoch: 0, fromSeq: 1))
                })
            let during = try await relay.grownBytes()
            print("150 channels followed and not read: memory \(before >> 20) MiB before, \(during >> 20) MiB after")
            #expect(during - before < 12 << 20)

            // Once the client reads, all entries arrive.
            try await wire.setReading(true)
            var left = 2 * channels.count
            while left > 0 {
                if case .entries(_, let entries) = try await wire.nextFrame().reply { left -= entries.count }
            }
            try await relay.kill9()
        }
    }
}
