import Crypto
import Foundation
import KithClient
import KithRelay
import KithWire
import TestSupport
import Testing

@testable import KithSimulation

@Suite("The model of the relay")
struct RelayModelTests {
    @Test("answers random requests as the relay does", arguments: 1...12 as ClosedRange<UInt64>)
    func conformance(seed: UInt64) async throws {
        let comparison = try await Comparison(seed: seed)
        for _ in 0..<250 { try await comparison.step() }
        try await comparison.finish()
    }
}

/// Sends the same requests to a relay over loopback and to the model, one after the other.
private final class Comparison {
    private var random: SeededGenerator
    private var model: RelayModel
    private let store = MemoryStore()
    private let clock = TestClock()
    private let folder = TemporaryFolder()
    private var server: RelayServer
    private var connections: [RelayConnection] = []
    private var channels: [Known] = []
    private var follows: [Pair] = []
    private let names = ["alice", "bob"].compactMap { Name($0) }
    private let keys = [Curve25519.Signing.PrivateKey(), Curve25519.Signing.PrivateKey()]
    private static let people = 3

    /// A channel with the tokens of all its epochs.
    private struct Known {
        let id = ChannelID.random()
        let kind: ChannelKind
        var epochs: [Tokens] = [Tokens()]
        var entryIDs: [EntryID] = []
        struct Tokens {
            let read = Token.random()
            let append = Token.random()
            let turn = Token.random()
            var access: Access { Access(read: Grant(for: read), append: Grant(for: append), turn: Grant(for: turn)) }
        }
    }

    /// A follow at the relay, and the events that the model sent for the same follow.
    private struct Pair {
        let connection: Int
        let channel: ChannelID
        let requestID: UInt32
        let real: FollowRecorder
        let follow: RelayFollow
        var expected: [FollowEvent] = []
        var error: RelayError.Code?
        var isOver = false
    }

    init(seed: UInt64) async throws {
        random = SeededGenerator(seed: seed)
        var limits = ModelLimits()
        limits.channelEntries = 12
        limits.inboxEntries = 9
        limits.inboxBytes = 150
        model = RelayModel(limits: limits, relayID: [])
        channels = [.log, .log, .inbox].map { Known(kind: $0) }
        server = try await Self.start(store, clock, folder.url)
        try await connect()
    }

    private static func start(_ store: MemoryStore, _ clock: TestClock, _ folder: URL) async throws -> RelayServer {
        var configuration = RelayConfiguration()
        configuration.eventLoops = 1
        configuration.logger.logLevel = .error
        configuration.limits.requestsPerSecond = 1_000_000
        configuration.limits.requestBurst = 1_000_000
        configuration.limits.addressRequestsPerSecond = 10_000_000
        configuration.limits.addressRequestBurst = 10_000_000
        configuration.limits.channelEntries = 12
        configuration.limits.inboxEntries = 9
        configuration.limits.inboxBytes = 150
        configuration.limits.deniedMs = 0
        // The model has no addresses.
        configuration.limits.inboxAddresses = 1
        configuration.limits.withdrawAddressBurst = 1_000
        configuration.nowMs = { clock.nowMs }
        // The model has one clock for date and uptime.
        configuration.uptime = { Int64(clock.nowMs) * 1_000_000 }
        return try await RelayServer.start(configuration, identity: try .kept(in: folder), store: store)
    }

    private func connect() async throws {
        connections = []
        for person in 0..<Self.people {
            let address = try #require(RelayAddress("\(server.host):\(server.port)"))
            connections.append(try await RelayConnection.connect(to: address, trust: .pinned(server.pin)))
            model.open(person)
            model.receive(
                ClientFrame(requestID: 1, request: .hello(versions: [1], relayPass: nil)), from: person,
                nowMs: clock.nowMs)
            _ = model.takeOutgoing()
        }
    }

    // MARK: Steps

    func step() async throws {
        let person = random.pick(0...Self.people - 1)
        switch random.pick(0...99) {
        case 0: try await restart()
        case 1: clock.advance(milliseconds: 900)
        case 2...9: try await follow(person)
        case 10...12: try await unfollow(person)
        case 13: for _ in 0..<40 { try await compare(.withdraw(channel: channel().id), person) }
        default: try await compare(request(), person)
        }
    }

    private func channel() -> Known { channels[random.pick(0...channels.count - 1)] }

    private func epoch(_ known: Known) -> Int {
        max(0, known.epochs.count - 1 - (random.chance(0.8) ? 0 : random.pick(0...3)))
    }

    private func request() throws -> Request {
        let index = random.pick(0...channels.count - 1)
        let known = channels[index]
        let epoch = epoch(known)
        let tokens = known.epochs[epoch]
        let id = known.id
        switch random.pick(0...99) {
        case 0...7:
            let kind = random.chance(0.9) ? known.kind : known.kind == .log ? .inbox : .log
            // A new channel gets the kind that the test expects.
            let isThere = model.channels[id] != nil
            return .create(
                channel: id, kind: isThere ? kind : known.kind, access: tokens.access, retentionSeconds: nil)
        case 8...29:
            let presented = random.chance(0.5) ? [tokens.read, tokens.append, tokens.turn] : [tokens.append]
            let isWrong = random.chance(0.1)
            return .present(
                channel: id, epoch: UInt64(epoch), tokens: isWrong ? presented.dropLast() + [.random()] : presented)
        case 30...64:
            let entry = random.chance(0.2) ? known.entryIDs.randomElement(using: &random) : nil
            let new = entry ?? EntryID.random(using: &random)
            channels[index].entryIDs.append(new)
            let payload = [UInt8](repeating: 7, count: random.pick(0...40))
            return .append(channel: id, epoch: UInt64(epoch), id: new, payload: payload[...])
        case 65...71:
            let next = Known.Tokens()
            // Only a turn of the current epoch can open the next epoch.
            if epoch == known.epochs.count - 1 { channels[index].epochs.append(next) }
            return .turn(
                channel: id, epoch: UInt64(epoch), id: .random(using: &random), payload: [1], nextAccess: next.access)
        case 72: return .trim(channel: id, throughSeq: UInt64(random.pick(0...30)))
        case 73...77: return .whisper(channel: id, epoch: UInt64(epoch), payload: [UInt8(random.pick(0...255))])
        case 78: return random.chance(0.2) ? .close(channel: id) : .ping
        case 79...84:
            let packages = (0..<random.pick(0...3)).map { KeyPackageBytes([UInt8($0), UInt8(random.pick(0...255))]) }
            let last = random.chance(0.3) ? KeyPackageBytes([99, UInt8(random.pick(0...255))]) : nil
            return .deposit(channel: id, keyPackages: packages, lastResort: last)
        case 85...92: return .withdraw(channel: id)
        case 93...96:
            let name = names[random.pick(0...names.count - 1)]
            let record = try NameRecord(
                name: name, version: UInt64(random.pick(0...3)), content: [5],
                signedBy: keys[random.pick(0...keys.count - 1)])
            return .register(name: name, record: record.unverified)
        default: return .lookup(name: names[random.pick(0...names.count - 1)])
        }
    }

    private func compare(_ request: Request, _ person: Int) async throws {
        // The relay sends whispers only to followers that have caught up; the model's followers always have.
        if case .whisper(let channel, _, _) = request {
            for pair in follows where pair.channel == channel { try await settle(pair) }
        }
        let requestID = UInt32(random.pick(2...1_000_000))
        let (answer, _) = ask(ClientFrame(requestID: requestID, request: request), person)
        let result = await connections[person].result(of: request)
        if case .turn(let id, let epoch, _, _, _) = request, (try? result.get()) == nil { forgetTurn(id, epoch) }
        switch (answer, result) {
        case (.error(let expected), .failure(.refused(let error))):
            #expect(error.code == expected.code && error.detail == expected.detail, "\(request.kind)")
            #expect((error.retryAfterMs > 0) == (expected.retryAfterMs > 0))
        case (let expected, .success(let reply)): #expect(reply == expected, "\(request.kind)")
        case (let expected, .failure(let error)):
            Issue.record("\(request.kind): the relay says \(error), the model \(String(describing: expected))")
        }
    }

    /// Forgets the epoch of a refused turn.
    private func forgetTurn(_ id: ChannelID, _ epoch: UInt64) {
        guard let index = channels.firstIndex(where: { $0.id == id }) else { return }
        let isUnknown = model.channels[id]?.epochs[epoch + 1] == nil
        if isUnknown, channels[index].epochs.count == Int(epoch) + 2 { channels[index].epochs.removeLast() }
    }

    /// Returns the model's answer and the request's id, and notes the frames for followers.
    private func ask(_ frame: ClientFrame, _ person: Int) -> (Reply?, UInt32) {
        model.receive(frame, from: person, nowMs: clock.nowMs)
        var answer: Reply?
        for outgoing in model.takeOutgoing() {
            if answer == nil, outgoing.connection == person, outgoing.frame.requestID == frame.requestID {
                answer = outgoing.frame.reply
                continue
            }
            early[outgoing.connection, default: []].append(outgoing.frame)
        }
        noteEarly()
        return (answer, frame.requestID)
    }

    private var early: [Int: [RelayFrame]] = [:]

    /// Passes early frames to their follows. A follow's first entries come before the follow is known here.
    private func noteEarly() {
        for (person, frames) in early {
            for frame in frames {
                guard
                    let index = follows.lastIndex(where: {
                        $0.connection == person && $0.requestID == frame.requestID && !$0.isOver
                    })
                else { continue }
                switch frame.reply {
                case .entries(_, let entries): follows[index].expected += entries.map { .entries([$0]) }
                case .whispered(_, _, let payload): follows[index].expected.append(.whisper(payload))
                case .epochEnded(_, let epoch):
                    follows[index].expected.append(.epochEnded(epoch))
                    follows[index].isOver = true
                case .error(let error):
                    follows[index].error = error.code
                    follows[index].isOver = true
                default: Issue.record("the model sent something that no follow brings")
                }
            }
        }
        early = [:]
    }

    private func follow(_ person: Int) async throws {
        let known = channel()
        guard !follows.contains(where: { $0.connection == person && $0.channel == known.id && !$0.isOver }) else {
            return
        }
        let epoch = UInt64(epoch(known))
        let from = UInt64(random.pick(0...20))
        let requestID = UInt32(random.pick(2...1_000_000))
        model.receive(
            ClientFrame(requestID: requestID, request: .follow(channel: known.id, epoch: epoch, fromSeq: from)),
            from: person, nowMs: clock.nowMs)
        let outgoing = model.takeOutgoing()
        let answer = outgoing.first?.frame.reply
        let result: Result<RelayFollow, any Error>
        do { result = .success(try await connections[person].follow(known.id, epoch: epoch, fromSeq: from)) } catch {
            result = .failure(error)
        }
        switch result {
        case .success(let follow):
            #expect(answer == .following(firstSeq: follow.firstSeq, lastSeq: follow.lastSeq))
            follows.append(
                Pair(
                    connection: person, channel: known.id, requestID: requestID, real: FollowRecorder(follow),
                    follow: follow))
            early = [person: outgoing.dropFirst().map(\.frame)]
            noteEarly()
        case .failure(let error):
            guard case .error(let expected) = answer, case RelayConnectionError.refused(let error) = error else {
                Issue.record("the relay refuses to be followed: \(error)")
                return
            }
            #expect(error.code == expected.code && error.detail == expected.detail)
        }
    }

    private func unfollow(_ person: Int) async throws {
        guard let index = follows.firstIndex(where: { $0.connection == person && !$0.isOver }) else { return }
        try await settle(follows[index])
        follows[index].isOver = true
        let channel = follows[index].channel
        follows[index].follow.cancel()
        _ = ask(ClientFrame(requestID: 1, request: .unfollow(channel: channel)), person)
        try await compare(.ping, person)
    }

    private func restart() async throws {
        for pair in follows { try await settle(pair) }
        follows = []
        for connection in connections { await connection.close() }
        await server.shutDown()
        server = try await Self.start(store, clock, folder.url)
        model.restart()
        try await connect()
    }

    /// Waits until a follow has delivered as many events as the model, and compares them.
    private func settle(_ pair: Pair) async throws {
        try await eventually("the follow has \(pair.expected.count) events") {
            pair.real.events.count >= pair.expected.count
        }
        #expect(pair.real.events == pair.expected)
        if let expected = pair.error {
            try await eventually("the follow ends") { pair.real.error != nil }
            #expect(pair.real.error == expected)
        }
    }

    func finish() async throws {
        for pair in follows { try await settle(pair) }
        follows = []
        for connection in connections { await connection.close() }
        await server.shutDown()
    }
}

extension RelayConnection {
    fileprivate func result(of request: Request) async -> Result<Reply, RelayConnectionError> {
        await withCheckedContinuation { continuation in submit(request) { continuation.resume(returning: $0) } }
    }
}

extension Request {
    /// The name of the request, without its values.
    fileprivate var kind: String { String(String(describing: self).prefix { $0 != "(" }) }
}
