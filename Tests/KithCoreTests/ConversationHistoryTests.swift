import KithSimulation
import KithWire
import Testing

@testable import KithCore

@Suite("History of a conversation")
struct ConversationHistoryTests {
    private var device: DeviceState
    private var history: ConversationHistory
    private var record: ConversationRecord
    private let id = ConversationID(rawValue: 3)

    init() throws {
        device = try .sample()
        history = ConversationHistory(of: id)
        record = ConversationRecord(
            channel: .random(), relay: try device.connectSample(), title: "group", contact: nil, isDirect: false,
            isCreated: true, epoch: 1, memberCount: 2)
        _ = device.step.finish()
    }

    private func entry(_ seq: UInt64) -> Entry {
        Entry(seq: seq, epoch: 1, kind: .message, receivedAtMs: 40 + seq, id: .random(), payload: [])
    }

    private func noted(_ entry: Entry, _ body: EntryRecord.Body, expiresAfter: UInt32? = nil) -> EntryRecord {
        EntryRecord(
            entry, view: LogView(seq: entry.seq, hash: [UInt8](repeating: 1, count: 32), previous: LogView.noPrevious),
            author: .unknown, expiresAfter: expiresAfter, body: body)
    }

    /// The stored seqs, and the number of messages that were reported, since the last call.
    private mutating func output() -> (seqs: [UInt64], messages: Int) {
        let output = device.step.finish()
        let seqs = output.transaction.writes.compactMap { write -> UInt64? in
            if case .put(let key, _) = write, key.table == .entry { key.item } else { nil }
        }
        let messages = output.effects.count { if case .event(.message) = $0 { true } else { false } }
        return (seqs, messages)
    }

    @Test("a text is stored and reported, and is the conversation's last activity")
    mutating func text() throws {
        let entry = entry(1)
        try history.note(noted(entry, .text("hello")), at: entry, in: &record, &device)
        #expect(output() == ([1], 1) && record.lastActivityMs == 41)
        #expect(device.erasures.sorted.isEmpty)
        try history.note(noted(entry, .text("hello"), expiresAfter: 60), at: entry, in: &record, &device)
        #expect(device.erasures.sorted.map(\.place) == [EntryPlace(conversation: id, seq: 1)])
    }

    @Test("entries that can't be used share a line until something else is shown, and the 1st, 10th, … are reported")
    mutating func unusable() throws {
        func add(_ seqs: ClosedRange<UInt64>) {
            for seq in seqs {
                history.noteUnusable(noted(entry(seq), .notices([])), at: seq, .malformed, in: record, &device)
            }
        }
        add(1...1)
        #expect(output() == ([1], 1))
        add(2...9)
        #expect(output() == ((2...9).flatMap { [1, $0] }, 0))
        add(10...10)
        #expect(output() == ([1, 10], 1))
        let shown = entry(11)
        try history.note(noted(shown, .text("hello")), at: shown, in: &record, &device)
        add(12...12)
        #expect(output() == ([11, 12], 2))
    }

    @Test("an id is new once, also after the ids were freed and read from the store again")
    mutating func ids() throws {
        let entry = entry(1)
        var transaction = StoreTransaction()
        transaction.put(EntryPlace(conversation: id, seq: 1).key, noted(entry, .text("hello")).encoded)
        try #require(device.store as? MemoryProfileStore).commit(transaction)
        #expect(try history.isNew(entry.id, in: &device) == false)
        let later = self.entry(2)
        let other = later.id
        #expect(try history.isNew(other, in: &device) == true)
        try history.note(noted(later, .text("hi")), at: later, in: &record, &device)
        #expect(try history.isNew(other, in: &device) == false)
        _ = device.step.finish()
        history.unload()
        #expect(try history.isNew(entry.id, in: &device) == false)
        #expect(try history.isNew(other, in: &device) == true, "it was not stored")
    }

    @Test("the ids of as many entries are recent before a restart as after it, those of unusable entries included")
    mutating func recentIDs() throws {
        let entries = (1...UInt64(ClientLimits.recentIDs) + 2).map(entry)
        #expect(try history.isNew(entries[0].id, in: &device) == true)
        for entry in entries.dropLast() {
            try history.note(noted(entry, .notices([])), at: entry, in: &record, &device)
        }
        let last = try #require(entries.last)
        history.noteUnusable(noted(last, .notices([])), at: last.seq, .malformed, in: record, &device)
        let watched = [entries[0], entries[1], entries[2], last]
        let before = try watched.map { try history.isNew($0.id, in: &device) }
        #expect(before == [true, true, false, false])
        try #require(device.store as? MemoryProfileStore).commit(device.step.finish().transaction)
        history.unload()
        let after = try watched.map { try history.isNew($0.id, in: &device) }
        #expect(after == before)
    }

    @Test("a warning is reported the first time, and then counted")
    mutating func warnings() {
        for _ in 1...9 { history.report(.oldWelcome, in: &device) }
        let reported = device.step.finish().effects.count { if case .event(.warning) = $0 { true } else { false } }
        #expect(reported == 1)
    }
}
