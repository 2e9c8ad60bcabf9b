import Foundation
import KithClient
import KithRelay
import KithWire
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// A relay on a free loopback port, with real TLS, for as long as `body` runs.
func withRelay<R>(
    store: (any ChannelStore)? = nil, limits: (inout RelayLimits) -> Void = { _ in }, pass: RelayPass? = nil,
    clock: TestClock? = nil, metrics: Bool = false, _ body: (RelayFixture) async throws -> R
) async throws -> R {
    var configuration = RelayConfiguration()
    configuration.eventLoops = 2
    configuration.logger.logLevel = .warning
    // Tests are faster than people.
    configuration.limits.requestsPerSecond = 1_000_000
    configuration.limits.requestBurst = 1_000_000
    configuration.limits.addressRequestsPerSecond = 10_000_000
    configuration.limits.addressRequestBurst = 10_000_000
    limits(&configuration.limits)
    configuration.relayPass = pass
    if metrics { configuration.metricsHost = "127.0.0.1" }
    if let clock {
        configuration.nowMs = { clock.nowMs }
        configuration.uptime = { clock.uptime }
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "kith-test-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let server = try await RelayServer.start(
        configuration, identity: try .kept(in: folder), store: store ?? MemoryStore())
    let fixture = RelayFixture(server: server, pass: pass)
    do {
        let result = try await body(fixture)
        await server.shutDown()
        return result
    } catch {
        await server.shutDown()
        throw error
    }
}

/// A clock that stands until it is moved.
final class TestClock: Sendable {
    private let time: Atomic<UInt64>
    private let passed = Atomic<Int64>(0)
    init(startingAtMs start: UInt64 = 1_700_000_000_000) { time = Atomic(start) }
    var nowMs: UInt64 { time.load(ordering: .sequentiallyConsistent) }
    /// In nanoseconds; does not care how the clock is set.
    var uptime: Int64 { passed.load(ordering: .sequentiallyConsistent) }
    func advance(seconds: UInt64) {
        time.wrappingAdd(seconds * 1000, ordering: .sequentiallyConsistent)
        passed.wrappingAdd(Int64(seconds) * 1_000_000_000, ordering: .sequentiallyConsistent)
    }
    /// Sets the clock, without time passing.
    func jump(seconds: Int64) {
        time.wrappingAdd(UInt64(bitPattern: seconds * 1000), ordering: .sequentiallyConsistent)
    }
    func setBack(seconds: UInt64) { time.wrappingSubtract(seconds * 1000, ordering: .sequentiallyConsistent) }
}

struct RelayFixture {
    let server: RelayServer
    let pass: RelayPass?

    func connect() async throws -> RelayConnection {
        let address = try #require(RelayAddress("\(server.host):\(server.port)"))
        return try await RelayConnection.connect(to: address, trust: .pinned(server.pin), pass: pass)
    }

    /// A connection with a fresh channel whose one token gives every right.
    func connectWithChannel(_ kind: ChannelKind = .log) async throws -> (RelayConnection, KnownChannel) {
        let connection = try await connect()
        let channel = KnownChannel()
        try await connection.create(channel, kind: kind)
        try await connection.present(channel)
        return (connection, channel)
    }
}

/// A channel whose tokens are known.
struct KnownChannel {
    let id: ChannelID
    var epoch: UInt64 = 0
    var read = Token.random()
    var append = Token.random()
    var turn = Token.random()

    var tokens: [Token] { [read, append, turn] }
    var access: Access { Access(read: Grant(for: read), append: Grant(for: append), turn: Grant(for: turn)) }

    /// The same channel in its next epoch, with other tokens.
    func next() -> KnownChannel {
        var next = KnownChannel(id: id)
        next.epoch = epoch + 1
        return next
    }

    init(id: ChannelID = .random()) { self.id = id }
}

/// A reply that a test did not expect.
struct Unexpected: Error {
    let reply: Reply
}

extension RelayConnection {
    func create(_ channel: KnownChannel, kind: ChannelKind = .log, retentionSeconds: UInt32? = nil) async throws {
        let reply = try await request(
            .create(channel: channel.id, kind: kind, access: channel.access, retentionSeconds: retentionSeconds))
        guard case .done = reply else { throw Unexpected(reply: reply) }
    }

    @discardableResult
    func present(_ channel: KnownChannel, _ tokens: [Token]? = nil) async throws -> Rights {
        let reply = try await request(
            .present(channel: channel.id, epoch: channel.epoch, tokens: tokens ?? channel.tokens))
        guard case .granted(let rights) = reply else { throw Unexpected(reply: reply) }
        return rights
    }

    @discardableResult
    func append(
        _ text: String, to channel: KnownChannel, id: EntryID = .random()
    ) async throws -> UInt64 {
        let reply = try await request(
            .append(channel: channel.id, epoch: channel.epoch, id: id, payload: Array(text.utf8)[...]))
        guard case .accepted(let seq) = reply else { throw Unexpected(reply: reply) }
        return seq
    }

    @discardableResult
    func turn(_ channel: KnownChannel, to next: KnownChannel, id: EntryID = .random()) async throws -> UInt64 {
        let reply = try await request(
            .turn(
                channel: channel.id, epoch: channel.epoch, id: id, payload: Array("turn".utf8)[...],
                nextAccess: next.access))
        guard case .accepted(let seq) = reply else { throw Unexpected(reply: reply) }
        return seq
    }

    /// The code of the refusal that `request` is answered with, or `nil` if it is not refused.
    func refusal(of request: Request) async throws -> RelayError? {
        do {
            _ = try await self.request(request)
            return nil
        } catch RelayConnectionError.refused(let error) {
            return error
        }
    }
}

extension RelayFollow {
    /// The next entries, at least `count`, or fewer if the epoch ends before.
    func entries(_ count: Int) async throws -> [Entry] {
        var entries: [Entry] = []
        var iterator = makeAsyncIterator()
        while entries.count < count, let event = try await iterator.next() {
            if case .entries(let more) = event { entries += more }
            if case .epochEnded = event { break }
        }
        return entries
    }
}

extension Entry {
    var text: String { String(decoding: payload, as: UTF8.self) }
}
