import Foundation
import KithClient
import KithWire
import RelayTestSupport
import Testing

extension RelayProcesses {
    @Suite("Refusals by a relay process")
    struct RefusalTests {
        /// The frame of every refusal of a right.
        static let requestID: UInt32 = 0x0a0b_0c0d

        @Test("without the right token, every request is denied with the same bytes, also after a restart")
        func denied() async throws {
            let folder = try RelayFolder()
            let old = KnownChannel()
            let current = old.next()
            var relay = try await RelayProcess.start(in: folder)
            let owner = try await relay.connect()
            try await owner.open(old)
            for text in ["one", "two"] { try await owner.append(Array(text.utf8), to: old) }
            #expect(try await owner.accepted(Self.turning(old, to: current)) == 3)
            try await owner.present(current)
            try await owner.append(Array("three".utf8), to: current)

            var answers: Set<[UInt8]> = []
            for isRestarted in [false, true] {
                if isRestarted {
                    try await relay.kill9()
                    relay = try await RelayProcess.start(in: folder)
                }
                try await withoutTokens(relay, old, current, &answers)
                try await withWrongTokens(relay, old, current, &answers)
                try await withOldTokens(relay, old, current, &answers)
            }
            #expect(answers.count == 1)
            let only = try RelayFrame(decoding: try #require(answers.first))
            guard case .error(let error) = only.reply else { throw UnexpectedReply(only.reply) }
            #expect(error.code == .denied && error.detail == 0 && error.retryAfterMs == 0)
            try await relay.kill9()
        }

        private static func turning(_ channel: KnownChannel, to next: KnownChannel) -> Request {
            .turn(channel: channel.id, epoch: channel.epoch, id: .random(), payload: [9], nextAccess: next.access)
        }

        /// The requests that need a right in a channel.
        private func requests(_ channel: KnownChannel) -> [Request] {
            [
                channel.appending([1]), Self.turning(channel, to: channel.next()),
                .follow(channel: channel.id, epoch: channel.epoch, fromSeq: 1),
                .whisper(channel: channel.id, epoch: channel.epoch, payload: [1]), .close(channel: channel.id),
                .deposit(channel: channel.id, keyPackages: [KeyPackageBytes([1])], lastResort: nil),
                .withdraw(channel: channel.id),
            ]
        }

        /// Sends a request and returns the answer's bytes.
        private func answer(to request: Request, on wire: WireClient) async throws -> [UInt8] {
            wire.send([ClientFrame(requestID: Self.requestID, request: request)])
            return try await wire.nextFrameBytes()
        }

        private func withoutTokens(
            _ relay: RelayProcess, _ old: KnownChannel, _ current: KnownChannel, _ answers: inout Set<[UInt8]>
        ) async throws {
            for channel in [old, current, current.next(), KnownChannel()] {
                // Once before the relay has the channel in memory, and once after.
                for _ in 0..<2 {
                    let wire = try await WireClient.open(to: relay.address)
                    for request in requests(channel) { answers.insert(try await answer(to: request, on: wire)) }
                }
            }
        }

        private func withWrongTokens(
            _ relay: RelayProcess, _ old: KnownChannel, _ current: KnownChannel, _ answers: inout Set<[UInt8]>
        ) async throws {
            let wire = try await WireClient.open(to: relay.address)
            let stranger = KnownChannel()
            let attempts: [(id: ChannelID, epoch: UInt64, tokens: [Token])] = [
                (current.id, 1, [.random()]), (current.id, 0, [.random()]), (current.id, 1, old.tokens),
                (current.id, 0, current.tokens), (current.id, 2, current.tokens), (current.id, .max, current.tokens),
                (current.id, 1, [current.read, .random()]), (current.id, 1, []), (stranger.id, 0, stranger.tokens),
                (stranger.id, 1, current.tokens), (stranger.id, .max, []),
            ]
            for attempt in attempts {
                let present = Request.present(channel: attempt.id, epoch: attempt.epoch, tokens: attempt.tokens)
                answers.insert(try await answer(to: present, on: wire))
                for request in requests(current) { answers.insert(try await answer(to: request, on: wire)) }
            }
        }

        /// The tokens of the previous epoch only read that epoch, and no right implies another one.
        private func withOldTokens(
            _ relay: RelayProcess, _ old: KnownChannel, _ current: KnownChannel, _ answers: inout Set<[UInt8]>
        ) async throws {
            let client = try await relay.connect()
            try await client.present(old)
            let entries = try await client.entries(of: old)
            #expect(entries.map { String(decoding: $0.payload, as: UTF8.self) } == ["one", "two", "\u{9}"])
            let refusal = try await client.refusal(of: old.appending([1]))
            #expect(refusal?.code == .staleEpoch && refusal?.detail == 1)
            #expect(try await client.refusal(of: Self.turning(old, to: current))?.code == .staleEpoch)

            let wire = try await WireClient.open(to: relay.address)
            _ = try await answer(to: .present(channel: old.id, epoch: 0, tokens: old.tokens), on: wire)
            for request in requests(current) { answers.insert(try await answer(to: request, on: wire)) }

            let reader = try await WireClient.open(to: relay.address)
            _ = try await answer(to: .present(channel: old.id, epoch: 1, tokens: [current.read]), on: reader)
            for request in requests(current) {
                if case .follow = request { continue }
                answers.insert(try await answer(to: request, on: reader))
            }
        }

        @Test("the order of answers does not show whether a channel exists")
        func order() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let owner = try await relay.connect()
            let channel = KnownChannel()
            try await owner.open(channel)
            try await owner.append([1], to: channel)
            var orders: Set<[UInt32]> = []
            for id in [channel.id, .random(), channel.id, .random()] {
                for epoch in [0, 1] as [UInt64] {
                    let wire = try await WireClient.open(to: relay.address)
                    let guess = Request.present(channel: id, epoch: epoch, tokens: [.random()])
                    let others = [Request.ping, .append(channel: id, epoch: 0, id: .random(), payload: []), .ping]
                    wire.send(([guess] + others).enumerated().map { ClientFrame(requestID: UInt32($0), request: $1) })
                    var order: [UInt32] = []
                    for _ in 0..<4 { order.append(try await wire.nextFrame().requestID) }
                    orders.insert(order)
                }
            }
            #expect(orders.count == 1, "\(orders)")
            try await relay.kill9()
        }
    }
}
