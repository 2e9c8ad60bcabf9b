import Crypto
import KithWire
import RelayTestSupport
import Testing

@testable import KithRelay

@Suite("The hub's rules for every connection")
struct HubRulesTests {
    private func withHub(
        limits: (inout RelayLimits) -> Void = { _ in }, _ body: (BareHub) async throws -> Void
    ) async throws {
        let hub = BareHub(limits: limits)
        try await body(hub)
        try await hub.close()
    }

    @Test("before hello, every other request is refused as a bad frame")
    func helloFirst() async throws {
        try await withHub { hub in
            hub.hub.submit([HubEvent(connection: 1, event: .opened(loop: 0, source: "here", rates: nil))])
            let channel = KnownChannel()
            for request: Request in [
                .ping, .append(channel, [1]), .present(channel: channel.id, epoch: 0, tokens: channel.tokens),
                .create(channel: channel.id, kind: .log, access: channel.access, retentionSeconds: nil),
                .withdraw(channel: channel.id),
            ] {
                #expect(await hub.refusal(of: request, on: 1) == .badFrame)
            }
            // These refusals concern a verified registration, unlike those of later checks.
            let name = try #require(Name("alice"))
            let record = try NameRecord(name: name, version: 1, content: [1], signedBy: Curve25519.Signing.PrivateKey())
            guard case .error(let error) = await hub.register(record, on: 1) else {
                Issue.record("registered before hello")
                return
            }
            #expect(error.code == .badFrame)
        }
    }

    @Test("hello comes once, and offers a version that the relay speaks in a list of bounded length")
    func hello() async throws {
        try await withHub { hub in
            for connection: ConnectionNumber in 1...4 {
                hub.hub.submit([HubEvent(connection: connection, event: .opened(loop: 0, source: "here", rates: nil))]
                )
            }
            #expect(await hub.refusal(of: .hello(versions: [2], relayPass: nil), on: 1) == .badVersion)
            let longest = (1...UInt16(WireLimits.versions)).map { $0 }
            #expect(await hub.refusal(of: .hello(versions: longest + [9_999], relayPass: nil), on: 2) == .badVersion)
            #expect(await hub.refusal(of: .hello(versions: longest, relayPass: nil), on: 3) == nil)
            #expect(await hub.refusal(of: .hello(versions: [1], relayPass: nil), on: 3) == .badFrame)
        }
    }

    @Test("an append, a turn and a whisper accept a payload as long as the limit, and no longer one")
    func payload() async throws {
        try await withHub(limits: { $0.payload = 100 }) { hub in
            hub.open(1)
            let channel = try #require(try await hub.makeChannels(1, on: 1).first)
            let (longest, tooLong) = ([UInt8](repeating: 1, count: 100), [UInt8](repeating: 1, count: 101))
            #expect(await hub.refusal(of: .append(channel, longest), on: 1) == nil)
            #expect(await hub.refusal(of: .append(channel, tooLong), on: 1) == .tooLarge)
            func whisper(_ payload: [UInt8]) -> Request {
                .whisper(channel: channel.id, epoch: 0, payload: payload[...])
            }
            #expect(await hub.refusal(of: whisper(longest), on: 1) == nil)
            #expect(await hub.refusal(of: whisper(tooLong), on: 1) == .tooLarge)
            func turn(_ payload: [UInt8]) -> Request {
                .turn(
                    channel: channel.id, epoch: 0, id: .random(), payload: payload[...],
                    nextAccess: channel.next().access)
            }
            #expect(await hub.refusal(of: turn(tooLong), on: 1) == .tooLarge)
            #expect(await hub.refusal(of: turn(longest), on: 1) == nil)
        }
    }

    @Test("a connection has limited numbers of presented and followed channels; a repeated one does not count again")
    func channels() async throws {
        try await withHub(limits: {
            $0.presentedChannels = 3
            $0.follows = 2
        }) { hub in
            hub.open(1)
            let channels = try await hub.makeChannels(3, on: 1)
            func follow(_ channel: KnownChannel) -> Request { .follow(channel: channel.id, epoch: 0, fromSeq: 1) }
            func present(_ channel: KnownChannel) -> Request {
                .present(channel: channel.id, epoch: 0, tokens: channel.tokens)
            }
            #expect(await hub.refusal(of: present(channels[0]), on: 1) == nil)
            let other = KnownChannel()
            #expect(
                await hub.ask(
                    .create(channel: other.id, kind: .log, access: other.access, retentionSeconds: nil), on: 1) == .done
            )
            #expect(await hub.refusal(of: present(other), on: 1) == .tooMany)
            #expect(await hub.refusal(of: follow(channels[0]), on: 1) == nil)
            #expect(await hub.refusal(of: follow(channels[1]), on: 1) == nil)
            #expect(await hub.refusal(of: follow(channels[2]), on: 1) == .tooMany)
            #expect(await hub.refusal(of: follow(channels[1]), on: 1) == nil)
            #expect(await hub.ask(.unfollow(channel: channels[0].id), on: 1) == .done)
            #expect(await hub.refusal(of: follow(channels[2]), on: 1) == nil)
        }
    }

    @Test("append, whisper, follow and present on a closed channel are refused as `gone` to clients with rights in it")
    func closed() async throws {
        try await withHub { hub in
            hub.open(1)
            let channel = try #require(try await hub.makeChannels(1, on: 1).first)
            #expect(await hub.ask(.close(channel: channel.id), on: 1) == .done)
            for request: Request in [
                .append(channel, [1]), .whisper(channel: channel.id, epoch: 0, payload: [1]),
                .follow(channel: channel.id, epoch: 0, fromSeq: 1),
                .present(channel: channel.id, epoch: 0, tokens: channel.tokens),
            ] {
                #expect(await hub.refusal(of: request, on: 1) == .gone)
            }
        }
    }

    @Test("a relay that shuts down refuses every request as unavailable, hello included")
    func shuttingDown() async throws {
        let hub = BareHub()
        hub.open(1)
        let channel = try #require(try await hub.makeChannels(1, on: 1).first)
        await hub.hub.shutDown()
        hub.hub.submit([HubEvent(connection: 2, event: .opened(loop: 0, source: "here", rates: nil))])
        #expect(await hub.refusal(of: .append(channel, [1]), on: 1) == .unavailable)
        #expect(await hub.refusal(of: .hello(versions: [1], relayPass: nil), on: 2) == .unavailable)
        try await hub.close()
    }

    @Test("a whisper after a turn is refused with the new epoch, also if both reach the hub in one batch")
    func whisperBehindTurn() async throws {
        try await withHub { hub in
            hub.open(1)
            let channel = try #require(try await hub.makeChannels(1, on: 1).first)
            let turn = Request.turn(
                channel: channel.id, epoch: 0, id: .random(), payload: [1], nextAccess: channel.next().access)
            let whisper = Request.whisper(channel: channel.id, epoch: 0, payload: [1])
            #expect(
                await hub.askAtOnce([(1, turn), (1, whisper)]) == [
                    .accepted(seq: 1), .error(.staleEpoch(current: 1)),
                ])
        }
    }

    @Test("closing a channel a second time is refused as `gone`")
    func closedTwice() async throws {
        try await withHub { hub in
            hub.open(1)
            let channel = try #require(try await hub.makeChannels(1, on: 1).first)
            #expect(await hub.refusal(of: .close(channel: channel.id), on: 1) == nil)
            #expect(await hub.ask(.close(channel: channel.id), on: 1) == .error(.gone))
        }
    }

    @Test("an inbox takes no turn")
    func turnInInbox() throws {
        let channel = KnownChannel()
        let entry = Entry(seq: 1, epoch: 0, kind: .turn, receivedAtMs: 1, id: .random(), payload: [1])
        for (kind, isTaken) in [(ChannelKind.log, true), (.inbox, false)] {
            let before = ChannelHead(created: channel.access, kind: kind, retentionSeconds: 60, atMs: 1)
            var head = before
            #expect(head.append(entry, nextAccess: channel.next().access) == isTaken)
            #expect((head == before) != isTaken)
        }
    }
}
