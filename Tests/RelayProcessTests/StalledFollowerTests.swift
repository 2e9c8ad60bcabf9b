import Foundation
import KithClient
import KithWire
import RelayTestSupport
import Testing

extension MeasuredRelay {
    @Suite("Followers that stop reading")
    struct StalledFollowerTests {
        @Test(
            "a follower that stops reading costs at most 1 MiB, and loses no entry when it reads again",
            .timeLimit(.minutes(5)), arguments: [1_000, 256 << 10])
        func stalled(payload: Int) async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let channel = KnownChannel()
            let setup = try await relay.connect()
            try await setup.open(channel)
            let megabytes = payload < 10_000 ? 24 : 160
            let count = (megabytes << 20) / payload

            // The same load with followers that read, to measure the relay's caches.
            let reading = try await followers(4, of: channel, at: relay)
            var seq = try await append(count, payload, to: channel, at: relay)
            for follower in reading { try await follower.read(through: seq) }
            let before = try await relay.settledBytes()

            let stalled = try await followers(16, of: channel, at: relay, from: seq + 1)
            for follower in stalled { try await follower.wire.setReading(false) }
            seq = try await append(count, payload, to: channel, at: relay)
            for follower in reading { try await follower.read(through: seq) }
            let during = try await relay.settledBytes()
            print(
                "stalled followers, payloads of \(payload): \(megabytes) MiB appended, memory \(before >> 10) KiB before, "
                    + "\(during >> 10) KiB with \(stalled.count) stalled")
            // 1 MiB for each, and a tolerance for the allocator and the store's caches.
            #expect(during - before < (stalled.count << 20) + (10 << 20))

            for follower in stalled { try await follower.wire.setReading(true) }
            for follower in stalled { try await follower.read(through: seq) }
            #expect(relay.isAlive)
            try await relay.kill9()
        }

        private func followers(
            _ count: Int, of channel: KnownChannel, at relay: RelayProcess, from first: UInt64 = 1
        ) async throws -> [RawFollower] {
            var followers: [RawFollower] = []
            for _ in 0..<count { followers.append(try await RawFollower(of: channel, at: relay, from: first)) }
            return followers
        }

        /// Appends from eight connections at once, with many requests in flight. Returns the last seq.
        private func append(_ count: Int, _ payload: Int, to channel: KnownChannel, at relay: RelayProcess) async throws
            -> UInt64
        {
            try await withThrowingTaskGroup(of: UInt64.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let client = try await relay.connect()
                        try await client.present(channel)
                        let content = [UInt8](repeating: 7, count: payload)
                        var last: UInt64 = 0
                        var left = count / 8
                        while left > 0 {
                            let some = min(left, 16)
                            left -= some
                            last = try await withThrowingTaskGroup(of: UInt64.self) { group in
                                for _ in 0..<some { group.addTask { try await client.append(content, to: channel) } }
                                return try await group.reduce(0, max)
                            }
                        }
                        return last
                    }
                }
                return try await group.reduce(0, max)
            }
        }
    }
}

/// A follower that can stop reading its socket.
final class RawFollower: Sendable {
    let wire: WireClient
    private let seen: Progress

    private actor Progress {
        var next: UInt64
        init(next: UInt64) { self.next = next }

        func take(_ entries: [Entry]) {
            for entry in entries {
                #expect(entry.seq == next, "a follower missed something")
                next = entry.seq + 1
            }
        }
    }

    init(of channel: KnownChannel, at relay: RelayProcess, from first: UInt64) async throws {
        // A small buffer, so that unread bytes stay at the relay.
        wire = try await WireClient.open(to: relay.address, receiveBuffer: 32 << 10)
        seen = Progress(next: first)
        wire.send([
            ClientFrame(
                requestID: 1, request: .present(channel: channel.id, epoch: channel.epoch, tokens: channel.tokens)),
            ClientFrame(requestID: 2, request: .follow(channel: channel.id, epoch: channel.epoch, fromSeq: first)),
        ])
        guard case .granted = try await wire.nextFrame().reply, case .following = try await wire.nextFrame().reply
        else {
            throw ConnectionOver()
        }
    }

    /// Reads until the entry of that seq arrives. Each entry must follow the one before.
    func read(through last: UInt64) async throws {
        while await seen.next <= last {
            let frame = try await wire.nextFrame()
            guard case .entries(_, let entries) = frame.reply else { throw UnexpectedReply(frame.reply) }
            await seen.take(entries)
        }
    }
}
