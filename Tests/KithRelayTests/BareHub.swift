import KithWire
import NIOCore
import NIOPosix
import RelayTestSupport
import Synchronization
import TestSupport

@testable import KithRelay

/// A hub on a thread of its own, without connections in front of it.
struct BareHub: Sendable {
    let hub: Hub
    let metrics = RelayMetrics()
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let answers = Answers()

    init(
        clock: TestClock = TestClock(), store: (any ChannelStore)? = nil,
        limits change: (inout RelayLimits) -> Void = { _ in }
    ) {
        var configuration = RelayConfiguration()
        change(&configuration.limits)
        configuration.nowMs = { clock.nowMs }
        configuration.uptime = { clock.uptime }
        let answers = answers
        hub = Hub(
            store: store ?? MemoryStore(eventLoop: group.next()), configuration: configuration, metrics: metrics,
            loops: 1, deliver: { _, output in answers.take(output) })
    }

    /// Sets a function that is called on the hub's thread for each answer without a waiting test.
    func forEachAnswer(_ body: @escaping @Sendable () -> Void) {
        answers.state.withLock { $0.others = body }
    }

    /// Opens a connection and says hello.
    func open(_ connection: ConnectionNumber, from source: ClientSource = "here", rates: SourceRates? = nil) {
        hub.submit([HubEvent(connection: connection, event: .opened(loop: 0, source: source, rates: rates))])
        submit(.hello(versions: [1], relayPass: nil), on: connection)
    }

    /// Sends a request without waiting for its answer.
    func submit(_ request: Request, on connection: ConnectionNumber) {
        let frame = ClientFrame(requestID: 0, request: request)
        hub.submit([HubEvent(connection: connection, event: .request(frame))])
    }

    func ask(_ request: Request, on connection: ConnectionNumber) async -> Reply {
        await withCheckedContinuation { continuation in
            let frame = ClientFrame(requestID: answers.expect(continuation), request: request)
            hub.submit([HubEvent(connection: connection, event: .request(frame))])
        }
    }

    /// Sends several requests that reach the hub in one batch. Returns the answers, in the order of the requests.
    func askAtOnce(_ requests: [(connection: ConnectionNumber, request: Request)]) async -> [Reply] {
        let items = requests.map { connection, request in
            let (requestID, reply) = answers.expect()
            let frame = ClientFrame(requestID: requestID, request: request)
            return (HubEvent(connection: connection, event: .request(frame)), reply)
        }
        hub.submit(items.map(\.0))
        var replies: [Reply] = []
        for (_, reply) in items { for await reply in reply { replies.append(reply) } }
        return replies
    }

    /// The number of rounds that the hub has decided.
    var rounds: Int { metrics.rounds.load(ordering: .relaxed) }

    /// The code of the refusal, or `nil`.
    func refusal(of request: Request, on connection: ConnectionNumber) async -> RelayError.Code? {
        if case .error(let error) = await ask(request, on: connection) { error.code } else { nil }
    }

    /// Registers a record whose signature was verified, as event loops do.
    func register(_ record: NameRecord, on connection: ConnectionNumber) async -> Reply {
        await withCheckedContinuation { continuation in
            let requestID = answers.expect(continuation)
            hub.submit([
                HubEvent(connection: connection, event: .registration(requestID: requestID, record))
            ])
        }
    }

    /// Creates channels, and proves all of their tokens.
    func makeChannels(
        _ count: Int, _ kind: ChannelKind = .log, on connection: ConnectionNumber
    ) async throws -> [KnownChannel] {
        var channels: [KnownChannel] = []
        for _ in 0..<count {
            let channel = KnownChannel()
            let create = Request.create(channel: channel.id, kind: kind, access: channel.access, retentionSeconds: nil)
            let present = Request.present(channel: channel.id, epoch: 0, tokens: channel.tokens)
            for request in [create, present] {
                let reply = await ask(request, on: connection)
                if case .error = reply { throw UnexpectedReply(reply) }
            }
            channels.append(channel)
        }
        return channels
    }

    func close() async throws {
        forEachAnswer {}
        await hub.shutDown()
        try await group.shutdownGracefully()
    }

    /// Passes answers to the tests that wait for them.
    private final class Answers: Sendable {
        struct State {
            var waiting: [UInt32: @Sendable (Reply) -> Void] = [:]
            var last: UInt32 = 0
            var others: @Sendable () -> Void = {}
        }
        let state = Mutex(State())

        func expect(_ continuation: CheckedContinuation<Reply, Never>) -> UInt32 {
            expect { continuation.resume(returning: $0) }
        }

        func expect() -> (UInt32, AsyncStream<Reply>) {
            let (stream, continuation) = AsyncStream.makeStream(of: Reply.self)
            let requestID = expect {
                continuation.yield($0)
                continuation.finish()
            }
            return (requestID, stream)
        }

        private func expect(_ take: @escaping @Sendable (Reply) -> Void) -> UInt32 {
            state.withLock { state in
                state.last += 1
                state.waiting[state.last] = take
                return state.last
            }
        }

        func take(_ output: RoundOutput) {
            for answer in output.answers {
                let (asked, others) = state.withLock { state in
                    (state.waiting.removeValue(forKey: answer.requestID), state.others)
                }
                if let asked { asked(answer.reply) } else { others() }
            }
        }
    }
}

extension Request {
    /// A message with an id of its own, in the channel's epoch.
    static func append(_ channel: KnownChannel, _ payload: [UInt8]) -> Request {
        .append(channel: channel.id, epoch: channel.epoch, id: .random(), payload: payload[...])
    }
}

extension Hub {
    /// Number of entry ids in memory.
    var countedEntryIDs: Int { channels.all.reduce(0) { $0 + ($1.ids?.count ?? 0) } }
    var channelsInMemory: Set<ChannelID> { Set(channels.all.map(\.id)) }
}

extension Reply {
    /// The code of a refusal; `nil` for other replies.
    var refusal: RelayError.Code? { if case .error(let error) = self { error.code } else { nil } }
}
