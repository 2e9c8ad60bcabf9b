import KithWire
import NIOCore
import NIOEmbedded
import NIOPosix
import RelayTestSupport
import Synchronization

@testable import KithRelay

/// One connection on a channel without a socket. The hub behind it is real, but the test delivers its output to the
/// connection.
final class ConnectionBench: Sendable {
    let channel = NIOAsyncTestingChannel()
    private let hub: Hub
    private let worker: EventLoopWorker
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let batches: AsyncStream<RoundOutput>
    private let connection: NIOLoopBound<Connection>
    private let earlier = Mutex<[RoundOutput]>([])
    private let decoder = Mutex(WebSocketDecoder(from: .server))
    private static let other: ConnectionNumber = 99

    /// - Parameters:
    ///   - delivers: whether the hub's output reaches the connection without ``deliver(_:)``.
    ///   - saysHello: whether the connection has been welcomed.
    ///   - rates: the rates of its address, if the connection shares them with others.
    init(
        delivers: Bool = false, saysHello: Bool = true, rates: SourceRates? = nil,
        limits change: (inout RelayLimits) -> Void = { _ in }
    ) async throws {
        var configuration = RelayConfiguration()
        change(&configuration.limits)
        configuration.nowMs = { 1_700_000_000_000 }
        configuration.uptime = { 0 }
        let limits = configuration.limits
        let store = MemoryStore(eventLoop: group.next())
        let metrics = RelayMetrics()
        let (batches, continuation) = AsyncStream.makeStream(of: RoundOutput.self)
        self.batches = batches
        let shared = EventLoopWorker.Shared(
            limits: limits, metrics: metrics, store: store, addresses: AddressTable(limits: limits))
        let worker = EventLoopWorker(index: 0, eventLoop: channel.testingEventLoop, shared: shared)
        self.worker = worker
        let hub = Hub(
            store: store, configuration: configuration, metrics: metrics, loops: 1,
            deliver: { _, output in
                continuation.yield(output)
                if delivers { worker.deliver(output) }
            })
        self.hub = hub
        let sourceRates = rates ?? SourceRates(own: AddressRates(limits))
        connection = try await channel.testingEventLoop.executeInContext { [channel] in
            let connection = Connection(
                from: ClientNetworks(name: "here"), sourceRates, channel: channel, worker: worker, hub: hub)
            worker.add(connection)
            try channel.pipeline.syncOperations.addHandler(connection)
            return NIOLoopBound(connection, eventLoop: channel.testingEventLoop)
        }
        _ = try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        hub.submit([HubEvent(connection: Self.other, event: .opened(loop: 0, source: "there"))])
        other(.hello(versions: [1], relayPass: nil))
        _ = try await batch()
        guard saysHello else { return }
        try await send([.request(10, .hello(versions: [1], relayPass: nil))])
        if delivers {
            _ = try await untilReceived(1)
        } else {
            try await deliver(batch { $0.answers.contains { $0.requestID == 10 } })
            _ = try await received()
        }
    }

    /// Whether the connection is not read because a rate is used up.
    var isPaused: Bool {
        get async throws {
            try await channel.testingEventLoop.executeInContext { [connection] in connection.value.pausedUntil != nil }
        }
    }

    /// Whether a large message would have taken too long at the given time.
    func isLargeInputOver(at time: NIODeadline) async throws -> Bool {
        try await channel.testingEventLoop.executeInContext { [connection] in
            connection.value.isLargeInputOver(at: time)
        }
    }

    // MARK: Input of the client

    enum Message {
        case request(UInt32, Request)
        case ping([UInt8])
        case close(UInt16)
        case raw([UInt8])
    }

    /// Sends messages that arrive in one read.
    func send(_ messages: [Message]) async throws {
        var bytes: [UInt8] = []
        for message in messages {
            var writer = WebSocketWriter()
            switch message {
            case .request(let id, let request): writer.write(ClientFrame(requestID: id, request: request), mask: 0)
            case .ping(let content):
                writer.writePong(content, mask: 0)
                bytes.append(contentsOf: [0x89] + writer.bytes.dropFirst())
                continue
            case .close(let code): writer.writeClose(code: code, mask: 0)
            case .raw(let raw):
                bytes.append(contentsOf: raw)
                continue
            }
            bytes.append(contentsOf: writer.bytes)
        }
        try await channel.writeInbound(ByteBuffer(bytes: bytes))
    }

    /// Sends a request, delivers its answer to the connection, and drops the connection's output.
    func ask(_ request: Request) async throws {
        try await send([.request(10, request)])
        try await deliver(batch { $0.answers.contains { $0.requestID == 10 } })
        await channel.testingEventLoop.run()
        _ = try await received()
    }

    /// Sends a request on another connection.
    func other(_ request: Request) {
        let frame = ClientFrame(requestID: 1, request: request)
        hub.submit([HubEvent(connection: Self.other, event: .request(frame))])
    }

    /// Gives the other connection every right in a channel.
    func otherPresents(_ channel: KnownChannel) async throws {
        other(.present(channel: channel.id, epoch: 0, tokens: channel.tokens))
        _ = try await batch { $0.answers.contains { $0.connection == Self.other } }
    }

    // MARK: Output of the hub

    /// The hub's next output that `matches`. Earlier ones stay for later calls.
    func batch(_ matches: (RoundOutput) -> Bool = { _ in true }) async throws -> RoundOutput {
        let early = earlier.withLock { earlier in earlier.firstIndex(where: matches).map { earlier.remove(at: $0) } }
        if let early { return early }
        for await batch in batches {
            if matches(batch) { return batch }
            earlier.withLock { $0.append(batch) }
        }
        throw CancellationError()
    }

    func deliver(_ batch: RoundOutput) async throws {
        worker.deliver(batch)
        await channel.testingEventLoop.run()
    }

    func advance(milliseconds: Int64) async throws {
        // The connection's deadlines use the system's clock.
        await channel.testingEventLoop.advanceTime(to: .now() + .milliseconds(milliseconds))
    }

    // MARK: Output of the connection

    enum Heard: Equatable {
        case reply(UInt32, Reply)
        case pong
        case close(UInt16?)

        var isEntries: Bool { if case .reply(_, .entries) = self { true } else { false } }
    }

    /// The output that has left the connection.
    func received() async throws -> [Heard] {
        var heard: [Heard] = []
        while let buffer = try await channel.readOutbound(as: ByteBuffer.self) {
            try decoder.withLock { decoder in
                try buffer.withUnsafeReadableBytes { bytes in
                    try decoder.feed(bytes) { message in
                        switch message {
                        case .binary(let bytes):
                            let frame = try RelayFrame(decoding: bytes)
                            heard.append(.reply(frame.requestID, frame.reply))
                        case .pong: heard.append(.pong)
                        case .close(let code): heard.append(.close(code))
                        default: break
                        }
                    }
                }
            }
        }
        return heard
    }

    /// Lets time pass until `count` messages have left the connection.
    func untilReceived(_ count: Int) async throws -> [Heard] {
        var heard: [Heard] = []
        while heard.count < count {
            try await advance(milliseconds: 60)
            heard += try await received()
            await Task.yield()
        }
        return heard
    }

    func close() async throws {
        _ = try? await channel.finish(acceptAlreadyClosed: true)
        await hub.shutDown()
        try await group.shutdownGracefully()
    }
}
