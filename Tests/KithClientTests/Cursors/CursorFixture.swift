import KithSimulation
import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

/// A profile in memory with conversations whose logs the test writes, and a machine that reads them by cursors.
final class CursorFixture {
    static let now: UInt64 = 1_700_000_000_000
    let store = MemoryProfileStore()
    private(set) var machine: ProfileMachine
    private var lastCommand: UInt64 = 0

    init() throws {
        try store.commit(
            try ProfileRecord.new(
                name: "bot", deviceName: "d", suite: .x25519AES128SHA256Ed25519, now: Self.now, random: .system))
        machine = try ProfileMachine(opening: store, now: Self.now)
    }

    /// Reopens the profile. Changes that were not committed are lost.
    func reopen() throws { machine = try ProfileMachine(opening: store, now: Self.now) }

    /// A step of the machine that reaches the disk, unless `commits` is false.
    @discardableResult
    func perform<Answer>(_ command: Command<Answer>, commits: Bool = true) throws -> Answer {
        lastCommand += 1
        let id = CommandID(rawValue: lastCommand)
        let output = try machine.handle([.command(id, command)], now: Self.now)
        if commits { try store.commit(output.transaction) }
        let results = output.effects.compactMap { effect -> Result<any Sendable, KithError>? in
            if case .finish(id, let result) = effect { result } else { nil }
        }
        let answer = try #require(results.first).get()
        return try #require(answer as? Answer)
    }

    /// A conversation with another member, at a relay that is never reached.
    func conversation() throws -> ConversationID {
        let relay = RelayPoint(
            address: try #require(RelayAddress("127.0.0.1:4433")),
            pin: try #require(RelayPin([UInt8](repeating: 7, count: 32))))
        let id = try perform(.createGroup(title: "group", relay, []))
        try change(id) { $0.enter(0, begin: Self.view(0), memberCount: 2) }
        return id
    }

    private static func view(_ seq: UInt64) -> LogView {
        LogView(seq: seq, hash: LogView.noPrevious, previous: LogView.noPrevious)
    }

    /// Changes a conversation in memory and on the disk.
    func change(_ id: ConversationID, _ body: (inout ConversationRecord) -> Void) throws {
        let conversation = try #require(machine.state.conversations[id])
        let changed = machine.replace(conversation) { body(&$0.record) }
        var transaction = StoreTransaction()
        transaction.put(StoreKey(.conversation, item: id.rawValue), changed.machine.record.encoded)
        try store.commit(transaction)
    }

    /// Makes a conversation one that a stranger began.
    func makePending(_ id: ConversationID) throws {
        try change(id) { record in
            record = ConversationRecord(
                channel: record.channel, relay: record.relay, title: record.title, contact: nil, isDirect: false,
                isCreated: true, epoch: 0, memberCount: 2, consent: .pending)
            record.activate()
        }
    }

    /// Appends an entry to a log, on the disk first.
    ///
    /// - Returns: its seq.
    @discardableResult
    func say(
        _ text: String, in id: ConversationID, by author: EntryRecord.Author = .contact(ContactID(rawValue: 9))
    ) throws -> UInt64 {
        try append(.text(MessageText(text)), author, to: id)
    }

    /// Appends a receipt, which is never shown, to a log.
    func receipt(in id: ConversationID) throws { try append(.notices([]), .contact(ContactID(rawValue: 9)), to: id) }

    @discardableResult
    func append(_ body: EntryRecord.Body, _ author: EntryRecord.Author, to id: ConversationID) throws -> UInt64 {
        let seq = try #require(machine.state.conversations[id]).machine.record.lastSeq + 1
        try store(body, author, seq: seq, in: id)
        try change(id) { $0.stand(at: Self.view(seq)) }
        return seq
    }

    private func store(
        _ body: EntryRecord.Body, _ author: EntryRecord.Author, seq: UInt64, in id: ConversationID
    ) throws {
        let entry = Entry(seq: seq, epoch: 0, kind: .message, receivedAtMs: Self.now, id: .random(), payload: [])
        let record = EntryRecord(entry, view: .nothing, author: author, sentAtMs: Self.now, body: body)
        var transaction = StoreTransaction()
        transaction.put(StoreKey(.entry, owner: id.rawValue, item: seq), record.encoded)
        try store.commit(transaction)
    }

    /// Begins a step that processes an entry, which is on the disk only after the step.
    ///
    /// - Returns: the entry's seq.
    func beginStep(in id: ConversationID) throws -> UInt64 {
        let conversation = try #require(machine.state.conversations[id])
        let seq = conversation.machine.record.lastSeq + 1
        machine.replace(conversation) { $0.record.stand(at: Self.view(seq)) }
        machine.state.device.step.markDirty(id)
        return seq
    }

    /// Stores the text of an entry with a known seq.
    func store(_ text: String, seq: UInt64, in id: ConversationID) throws {
        try store(.text(MessageText(text)), .contact(ContactID(rawValue: 9)), seq: seq, in: id)
    }

    /// The next message for a reader; `nil` if there is none.
    func next(_ reader: CursorReader) throws -> IncomingEntry? {
        while true {
            switch try perform(.nextIncoming(reader)) {
            case .message(let entry): return entry
            case .unfinished: continue
            case .none: return nil
            }
        }
    }

    /// The texts of all messages for a reader.
    func texts(_ reader: CursorReader) throws -> [String] {
        var texts: [String] = []
        while let entry = try next(reader) { texts.append(entry.message.text ?? "?") }
        return texts
    }

    func reply(_ text: String, to entry: IncomingEntry, commits: Bool = true) throws -> EntryID {
        try perform(.reply(text, to: entry.place, replyTo: entry.message.id, expiresAfter: nil), commits: commits)
    }

    /// The texts that wait to be sent.
    func outbox(_ id: ConversationID) -> [String] {
        machine.state.conversations[id]?.machine.outbox.items.compactMap {
            if case .content(.text(let text)) = $0.body { text.text } else { nil }
        } ?? []
    }
}
