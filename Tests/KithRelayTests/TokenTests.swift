import KithClient
import KithRelay
import KithWire
import RelayTestSupport
import Testing

@Suite("Tokens and rights")
struct TokenTests {
    @Test("without a token, every request is denied in the same way for a channel that exists and one that does not")
    func denied() async throws {
        try await withRelay { relay in
            let (_, channel) = try await relay.connectWithChannel()
            let other = KnownChannel()
            let stranger = try await relay.connect()
            func requests(_ id: ChannelID) -> [Request] {
                [
                    .present(channel: id, epoch: 0, tokens: [.random()]),
                    .present(channel: id, epoch: 7, tokens: channel.tokens),
                    .present(channel: id, epoch: .max, tokens: channel.tokens),
                    .present(channel: id, epoch: 0, tokens: []),
                    .append(channel: id, epoch: 0, id: .random(), payload: [1]),
                    .turn(channel: id, epoch: 0, id: .random(), payload: [1], nextAccess: channel.access),
                    .whisper(channel: id, epoch: 0, payload: [1]),
                    .close(channel: id),
                    .deposit(channel: id, keyPackages: [], lastResort: nil),
                    .withdraw(channel: id),
                ]
            }
            for (real, missing) in zip(requests(channel.id), requests(other.id)) {
                let first = try await stranger.refusal(of: real)
                let second = try await stranger.refusal(of: missing)
                #expect(first?.code == .denied, "\(real)")
                #expect(first == second, "\(real)")
            }
            for id in [channel.id, other.id] {
                await #expect(
                    throws: RelayConnectionError.refused(.init(.denied, "no such channel, or no right to it"))
                ) {
                    _ = try await stranger.follow(id, epoch: 0, fromSeq: 1)
                }
            }
        }
    }

    @Test("each token gives only its own right")
    func oneRightEach() async throws {
        try await withRelay { relay in
            let (_, channel) = try await relay.connectWithChannel()
            let append = Request.append(channel: channel.id, epoch: 0, id: .random(), payload: [1])
            let turn = Request.turn(
                channel: channel.id, epoch: 0, id: .random(), payload: [1], nextAccess: channel.access)

            let reader = try await relay.connect()
            #expect(try await reader.present(channel, [channel.read]) == .read)
            #expect(try await reader.refusal(of: append)?.code == .denied)
            #expect(try await reader.refusal(of: turn)?.code == .denied)
            #expect(try await reader.refusal(of: .whisper(channel: channel.id, epoch: 0, payload: []))?.code == .denied)

            let writer = try await relay.connect()
            #expect(try await writer.present(channel, [channel.append]) == .append)
            #expect(try await writer.refusal(of: append) == nil)
            #expect(try await writer.refusal(of: turn)?.code == .denied)
            await #expect(throws: RelayConnectionError.self) {
                _ = try await writer.follow(channel.id, epoch: 0, fromSeq: 1)
            }

            let turner = try await relay.connect()
            #expect(try await turner.present(channel, [channel.turn]) == .turn)
            #expect(try await turner.refusal(of: append)?.code == .denied)
            #expect(try await turner.refusal(of: turn) == nil)
        }
    }

    @Test("a valid token together with a wrong one gives no right")
    func mixedTokens() async throws {
        try await withRelay { relay in
            let (_, channel) = try await relay.connectWithChannel()
            let stranger = try await relay.connect()
            let present = Request.present(channel: channel.id, epoch: 0, tokens: [channel.append, .random()])
            #expect(try await stranger.refusal(of: present)?.code == .denied)
            let append = Request.append(channel: channel.id, epoch: 0, id: .random(), payload: [1])
            #expect(try await stranger.refusal(of: append)?.code == .denied)
        }
    }

    @Test("rights last as long as their connection and do not extend to another one")
    func rightsAreTheConnections() async throws {
        try await withRelay { relay in
            let (alice, channel) = try await relay.connectWithChannel()
            try await alice.append("one", to: channel)
            let again = try await relay.connect()
            let append = Request.append(channel: channel.id, epoch: 0, id: .random(), payload: [1])
            #expect(try await again.refusal(of: append)?.code == .denied)
        }
    }

    @Test("a relay with a pass serves only clients that send it")
    func relayPass() async throws {
        let pass = try #require(RelayPass("for friends"))
        try await withRelay(configure: { $0.relayPass = pass }) { relay in
            _ = try await relay.connect()
            let others = TestRelay(server: relay.server, pass: nil, folder: relay.folder)
            await #expect(throws: RelayConnectionError.self) { try await others.connect() }
            let guess = TestRelay(server: relay.server, pass: RelayPass("for friend"), folder: relay.folder)
            await #expect(throws: RelayConnectionError.self) { try await guess.connect() }
        }
    }
}
