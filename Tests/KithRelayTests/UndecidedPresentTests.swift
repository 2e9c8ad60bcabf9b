import KithWire
import NIOCore
import NIOEmbedded
import NIOPosix
import RelayTestSupport
import Synchronization
import TestSupport
import Testing

@testable import KithRelay

@Suite("An undecided present")
struct UndecidedPresentTests {
    @Test(
        "while a present is undecided, neither pongs nor answers nor live entries leave the connection",
        .timeLimit(.minutes(5)))
    func nothingLeaves() async throws {
        // A refusal leaves after this time, which only the test lets pass.
        let deniedMs = 3_600_000
        let bench = try await ConnectionBench { $0.deniedMs = deniedMs }
        let channel = KnownChannel()
        try await bench.ask(.create(channel: channel.id, kind: .log, access: channel.access, retentionSeconds: nil))
        try await bench.ask(.present(channel: channel.id, epoch: 0, tokens: channel.tokens))
        try await bench.ask(.follow(channel: channel.id, epoch: 0, fromSeq: 1))
        try await bench.otherPresents(channel)
        try await bench.send([.ping([1])])
        #expect(try await bench.received() == [.pong])

        // A request before the present, pings around it, and an entry for the follow while it is undecided.
        let wrong = Request.present(channel: .random(), epoch: 0, tokens: [.random()])
        try await bench.send([.request(20, .ping), .ping([2]), .request(21, wrong), .ping([3])])
        let decision = try await bench.batch()
        #expect(decision.answers.map(\.requestID) == [20])
        try await bench.deliver(decision)
        bench.other(.append(channel, [7]))
        try await bench.deliver(bench.batch { !$0.broadcasts.isEmpty })
        #expect(try await bench.received().isEmpty)

        // The decided answer leaves at its time, and all other output behind it.
        try await bench.deliver(bench.batch { $0.answers.contains { $0.requestID == 21 } })
        #expect(try await bench.received().isEmpty)
        try await bench.advance(milliseconds: Int64(deniedMs))
        var said = try await bench.received()
        #expect(said.first == .reply(20, .done))
        #expect(said.dropFirst().first == .reply(21, .error(.denied)))
        #expect(said.filter { $0 == .pong }.count == 1)
        // The entry is read from the store: the connection could not take it when it was broadcast.
        try await eventually("the entry is delivered") {
            await bench.channel.testingEventLoop.run()
            said += try await bench.received()
            return said.contains { $0.isEntries }
        }
        try await bench.close()
    }

    @Test("a request without a right is refused at once, whether its channel is busy or not", .timeLimit(.minutes(5)))
    func rightsBeforeQueues() async throws {
        let stuck = StuckStore(MemoryStore())
        let hub = BareHub(store: stuck) { $0.cachedChannels = 1 }
        hub.open(1)
        hub.open(2)
        hub.open(3)
        let channels = try await hub.makeChannels(3, on: 1)
        for channel in channels {
            let present = Request.present(channel: channel.id, epoch: 0, tokens: [channel.append])
            #expect(await hub.ask(present, on: 3) == .granted(.append))
        }
        let inMemory = await hub.hub.channelsInMemory
        let channel = try #require(channels.first { !inMemory.contains($0.id) })
        stuck.holdReads()
        async let accepted = hub.ask(.append(channel, [1]), on: 1)
        await stuck.untilHeld()
        // The channel is busy until the store answers.
        for request in [
            .append(channel, [1]), .whisper(channel: channel.id, epoch: 0, payload: [1]),
            .turn(channel: channel.id, epoch: 0, id: .random(), payload: [1], nextAccess: channel.access),
            .follow(channel: channel.id, epoch: 0, fromSeq: 1), .close(channel: channel.id),
            .deposit(channel: channel.id, keyPackages: [], lastResort: nil), .withdraw(channel: channel.id),
            .trim(channel: channel.id, throughSeq: 1),
        ] as [Request] {
            #expect(await hub.ask(request, on: 2) == .error(.denied), "\(request)")
        }
        #expect(await hub.ask(.unfollow(channel: channel.id), on: 2) == .done)
        // A right does not imply another one.
        for request in [
            .close(channel: channel.id), .trim(channel: channel.id, throughSeq: 1),
            .deposit(channel: channel.id, keyPackages: [], lastResort: nil),
        ] as [Request] {
            #expect(await hub.ask(request, on: 3) == .error(.denied), "\(request)")
        }
        stuck.release()
        #expect(await accepted == .accepted(seq: 1))
        try await hub.close()
    }

    @Test("an unfollow on a connection without a follow does not affect the channel's followers")
    func unfollowNeedsAFollow() async throws {
        let hub = BareHub()
        hub.open(1)
        hub.open(2)
        let channel = try #require(try await hub.makeChannels(1, on: 1).first)
        _ = await hub.ask(.follow(channel: channel.id, epoch: 0, fromSeq: 1), on: 1)
        #expect(await hub.ask(.unfollow(channel: channel.id), on: 2) == .done)
        #expect(await hub.hub.followers(of: channel.id) == 1)
        #expect(await hub.ask(.unfollow(channel: channel.id), on: 1) == .done)
        #expect(await hub.hub.followers(of: channel.id) == 0)
        try await hub.close()
    }
}

extension Hub {
    fileprivate func followers(of channel: ChannelID) -> Int {
        channels[channel]?.followers.reduce(0) { $0 + $1.count } ?? 0
    }
}
