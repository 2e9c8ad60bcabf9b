import Foundation
import KithClient
import KithWire
import RelayTestSupport
import Synchronization
import TestSupport
import Testing

extension RelayProcesses {
    @Suite("A killed relay")
    struct KillTests {
        @Test(
            "kill -9 at random points under load: every accepted entry is there once, under its number",
            .timeLimit(.minutes(10)))
        func kill9() async throws {
            var random = Seed("kill -9")
            let folder = try RelayFolder()
            var ledger = Ledger()
            let rounds = Count.of(200, quick: 20)
            var accepted = 0
            for round in 0...rounds {
                let relay = try await RelayProcess.start(in: folder)
                try await ledger.verify(at: relay, round: round)
                // The last start only checks.
                if round == rounds {
                    try await relay.kill9()
                    break
                }
                let load = Load(relay, ledger: ledger)
                try await load.start(clients: 20, random: random.branch(round))
                try await eventually("an entry is accepted") { load.acceptedCount > 0 }
                // The kill comes at a random moment of the load. What is accepted by then is the test's result, not its
                // condition.
                try await Task.sleep(for: .microseconds(Int.random(in: 0...60_000, using: &random)))
                try await relay.kill9()
                let outcome = await load.outcome()
                #expect(!outcome.accepted.isEmpty, "round \(round): nothing was accepted")
                accepted += outcome.accepted.count
                ledger.note(outcome)
            }
            print(
                "kill -9: \(rounds) rounds, \(accepted) entries accepted, \(ledger.resolved) left open by a kill and settled after"
            )
        }

        @Test("SIGTERM under load: every accepted entry is there, clients are told, and the relay ends")
        func terminate() async throws {
            let random = Seed("SIGTERM")
            let folder = try RelayFolder()
            var ledger = Ledger()
            for round in 0..<3 {
                let relay = try await RelayProcess.start(in: folder)
                try await ledger.verify(at: relay, round: round)
                let idle = try await WireClient.open(to: relay.address)
                let load = Load(relay, ledger: ledger)
                try await load.start(clients: 20, random: random.branch(round))
                try await eventually("the load runs") { load.acceptedCount >= 200 }
                let start = ContinuousClock.now
                let status = try await relay.stop()
                let taken = ContinuousClock.now - start
                #expect(status == .exited(0))
                let outcome = await load.outcome()
                #expect(!outcome.accepted.isEmpty)
                for end in outcome.ends {
                    let isPolite =
                        switch end {
                        case .closed(.byRelay(code: 1001)): true
                        default: false
                        }
                    #expect(isPolite, "a client was told \(end)")
                }
                await idle.waitUntilClosed()
                ledger.note(outcome)
                print("SIGTERM: \(outcome.accepted.count) entries accepted, gone after \(taken)")
            }
            let relay = try await RelayProcess.start(in: folder)
            try await ledger.verify(at: relay, round: 3)
            try await relay.kill9()
        }
    }
}

/// The answers that clients got over all kills, which the relay's entries are checked against.
struct Ledger: Sendable {
    /// Channels that five clients each write to.
    private(set) var channels = (0..<4).map { _ in KnownChannel() }
    /// A channel that one client turns again and again.
    private(set) var turning = KnownChannel()
    private var isCreated = false
    /// The seqs of acknowledged or seen entries, by channel and id.
    private var seqs: [[EntryID: UInt64]] = Array(repeating: [:], count: 4)
    /// The last checked seq of each channel.
    private var lastSeqs: [UInt64] = [0, 0, 0, 0]
    private var turns: UInt64 = 0
    /// The requests under way at the last kill.
    private var open: [(channel: Int, id: EntryID)] = []
    private var openTurn: (id: EntryID, next: KnownChannel)?
    /// The last acknowledged entries, to be sent again.
    private var recent: [(channel: Int, id: EntryID)] = []
    /// Number of entries that were under way at a kill and settled afterwards.
    private(set) var resolved = 0

    mutating func note(_ outcome: Load.Outcome) {
        for (channel, id, seq) in outcome.accepted {
            #expect(seqs[channel][id] == nil || seqs[channel][id] == seq, "an entry was accepted twice")
            seqs[channel][id] = seq
        }
        recent = outcome.accepted.suffix(40).map { ($0.channel, $0.id) }
        open = outcome.open
        openTurn = outcome.openTurn
        turning = outcome.turning
        turns = outcome.turns
    }

    /// Checks all new entries, and sends unanswered and some acknowledged entries again.
    mutating func verify(at relay: RelayProcess, round: Int) async throws {
        let client = try await relay.connect()
        guard isCreated else {
            for channel in channels + [turning] { try await client.open(channel) }
            isCreated = true
            return
        }
        for (index, channel) in channels.enumerated() {
            try await client.present(channel)
            let entries = try await client.entries(of: channel, from: lastSeqs[index] + 1)
            var next = lastSeqs[index] + 1
            for entry in entries {
                #expect(entry.seq == next, "round \(round): a gap before \(entry.seq)")
                next += 1
                let known = seqs[index][entry.id]
                #expect(known == nil || known == entry.seq, "round \(round): an entry is there twice, or moved")
                #expect(entry.payload.elementsEqual(entry.id.bytes), "round \(round): another payload")
                seqs[index][entry.id] = entry.seq
            }
            lastSeqs[index] = next - 1
            let highest = seqs[index].values.max() ?? 0
            #expect(highest < next, "round \(round): accepted up to \(highest), there up to \(next - 1)")
            let count = seqs[index].count
            #expect(count == lastSeqs[index], "round \(round): \(count) ids for \(lastSeqs[index]) entries")
        }
        for (channel, id) in recent + open {
            let seq = try await client.append(id.bytes, to: channels[channel], id: id)
            let known = seqs[channel][id]
            #expect(known == nil || known == seq, "round \(round): sent again, accepted under another number")
            // New entries are at the end, and are checked after the next kill.
            if known == nil { #expect(seq > lastSeqs[channel], "round \(round): a number is used twice") }
            seqs[channel][id] = seq
        }
        resolved += open.count
        try await verifyTurns(client, round: round)
    }

    private mutating func verifyTurns(_ client: RelayConnection, round: Int) async throws {
        if let (id, next) = openTurn {
            // A repeated turn gets the same answer, whether the first one was committed or not.
            try await client.present(turning)
            let seq = try await client.accepted(
                .turn(channel: turning.id, epoch: turning.epoch, id: id, payload: [1], nextAccess: next.access))
            #expect(seq == turns + 1, "round \(round): a turn has the number \(seq)")
            turns += 1
            turning = next
            openTurn = nil
        }
        try await client.present(turning)
        let follow = try await client.follow(turning.id, epoch: turning.epoch, fromSeq: 1)
        #expect(follow.firstSeq == turns + 1 && follow.lastSeq == turns, "round \(round): turns are missing")
    }
}

/// Clients that append as fast as the relay lets them, until it is gone.
final class Load: Sendable {
    struct Outcome: Sendable {
        var accepted: [(channel: Int, id: EntryID, seq: UInt64)] = []
        var open: [(channel: Int, id: EntryID)] = []
        var turning: KnownChannel
        var turns: UInt64 = 0
        var openTurn: (id: EntryID, next: KnownChannel)?
        /// The end of each connection.
        var ends: [RelayConnectionError] = []
    }

    private let relay: RelayProcess
    private let channels: [KnownChannel]
    private let outcomes: Mutex<Outcome>
    private let accepted = Atomic<Int>(0)
    private let tasks = Mutex<[Task<Void, Never>]>([])

    init(_ relay: RelayProcess, ledger: Ledger) {
        self.relay = relay
        channels = ledger.channels
        outcomes = Mutex(Outcome(turning: ledger.turning, turns: ledger.turning.epoch))
    }

    var acceptedCount: Int { accepted.load(ordering: .relaxed) }

    /// Connects all clients, and then starts them together.
    func start(clients: Int, random: Seed) async throws {
        let connections = try await withThrowingTaskGroup(of: RelayConnection.self) { group in
            for _ in 0..<clients { group.addTask { [relay] in try await relay.connect() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let all = connections.enumerated().map { index, connection in
            Task { [self] in
                if index == 0 {
                    await turn(connection)
                } else {
                    await append(connection, index % 4, random.branch(index))
                }
            }
        }
        tasks.withLock { $0 = all }
    }

    func outcome() async -> Outcome {
        for task in tasks.withLock({ $0 }) { await task.value }
        return outcomes.withLock { $0 }
    }

    /// Sends entries in batches, and waits for the answers to each.
    private func append(_ connection: RelayConnection, _ channel: Int, _ random: Seed) async {
        var random = random
        let target = channels[channel]
        do { try await connection.present(target) } catch { return ended(error) }
        while true {
            let ids = (0..<Int.random(in: 1...8, using: &random)).map { _ in EntryID.random(using: &random) }
            let error = await withTaskGroup(of: RelayConnectionError?.self) { group in
                for id in ids {
                    group.addTask { [self] in
                        do {
                            let seq = try await connection.accepted(target.appending(id.bytes, as: id))
                            accepted.wrappingAdd(1, ordering: .relaxed)
                            outcomes.withLock { $0.accepted.append((channel, id, seq)) }
                            return nil
                        } catch {
                            outcomes.withLock { $0.open.append((channel, id)) }
                            return error as? RelayConnectionError ?? .closed(.lost)
                        }
                    }
                }
                return await group.reduce(nil) { $0 ?? $1 }
            }
            if let error, !Self.goesOn(error) { return ended(error) }
            // Only limits the rate of retries after a refusal.
            if error != nil { try? await Task.sleep(for: .milliseconds(20)) }
        }
    }

    /// Sends one turn after the other.
    private func turn(_ connection: RelayConnection) async {
        var current = outcomes.withLock { $0.turning }
        while true {
            let id = EntryID.random()
            let next = current.next()
            do {
                try await connection.present(current)
                outcomes.withLock { $0.openTurn = (id, next) }
                _ = try await connection.accepted(
                    .turn(channel: current.id, epoch: current.epoch, id: id, payload: [1], nextAccess: next.access))
            } catch {
                guard let error = error as? RelayConnectionError, Self.goesOn(error) else { return ended(error) }
                outcomes.withLock { $0.openTurn = nil }
                // Only limits the rate of retries after a refusal.
                try? await Task.sleep(for: .milliseconds(20))
                continue
            }
            outcomes.withLock {
                $0.turning = next
                $0.turns += 1
                $0.openTurn = nil
            }
            current = next
        }
    }

    /// Returns whether the connection is still open.
    private static func goesOn(_ error: RelayConnectionError) -> Bool {
        if case .refused = error { true } else { false }
    }

    private func ended(_ error: any Error) {
        guard let error = error as? RelayConnectionError else { return }
        outcomes.withLock { $0.ends.append(error) }
    }
}
