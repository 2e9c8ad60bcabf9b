import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

/// A conversation between alice, a profile, and bob, an MLS group. The test plays bob and the relay, from the entry after the
/// turn by which bob added alice.
final class PlayedConversation {
    let box: Letterbox
    let id: ConversationID
    let bob: ProfileRecord
    /// Bob's state of the group.
    var group: Group
    /// All effects of alice since she accepted.
    private(set) var effects: [Effect]
    private var lastSeq: UInt64 = 1
    private let relay = RelayID(rawValue: 1)

    /// - Parameters:
    ///   - others: more members.
    ///   - isLive: whether alice has caught up with the log.
    init(isDirect: Bool = false, and others: [ProfileRecord] = [], isLive: Bool = true) throws {
        box = try Letterbox()
        bob = try Letterbox.person("bob")
        group = try Letterbox.group(of: bob, on: .random())
        try box.bring([box.letter(into: &group, and: others, isDirect: isDirect)])
        id = try #require(box.alice.state.conversations.ids.first)
        effects = try box.perform(.accept(id))
        if isLive { try startFollow() }
    }

    var conversation: ConversationTable.Place {
        guard let place = box.alice.state.conversations[id] else { preconditionFailure("the conversation is gone") }
        return place
    }
    var channel: ChannelID { conversation.machine.record.channel }
    var status: ConversationStatus { conversation.machine.record.status }

    // MARK: The relay

    private func note(_ new: [Effect]) -> [Effect] {
        effects += new
        return new
    }

    @discardableResult
    func perform<Answer>(_ command: Command<Answer>) throws -> [Effect] { note(try box.perform(command)) }

    /// Lets time pass.
    @discardableResult
    func wait(milliseconds: UInt64) throws -> [Effect] {
        box.passed += milliseconds
        return note(try box.handle([.tick]))
    }

    @discardableResult
    func send(_ text: String) throws -> [Effect] {
        try perform(.send(id, text: text, replyTo: nil, expiresAfter: nil))
    }

    @discardableResult
    func startFollow() throws -> [Effect] {
        note(try box.startFollow(of: channel, firstSeq: lastSeq + 1, lastSeq: lastSeq, in: effects))
    }

    @discardableResult
    func answer(_ tag: UInt64, _ result: Result<Reply, RelayError>) throws -> [Effect] {
        note(try box.handle([.answered(relay, tag: tag, result)]))
    }

    @discardableResult
    func bring(_ entries: [Entry]) throws -> [Effect] { note(try box.bring(entries, of: channel, in: effects)) }

    /// Loses the connection and makes another, whose follow begins with some entries.
    func reconnect(bringing entries: [Entry] = []) throws {
        effects = try box.handle([.disconnected(relay)])
        effects += try box.connect()
        let first = conversation.machine.record.lastSeq + 1
        effects += try box.startFollow(of: channel, firstSeq: first, lastSeq: lastSeq, in: effects)
        if !entries.isEmpty { try bring(entries) }
    }

    /// Delivers alice's last commit, moves bob into its epoch, and begins the follow of that epoch.
    func bringTurn() throws {
        let turn = try #require(effects.turns.last)
        guard case .commit(let staged) = try group.process(MLSMessage.decode(turn.payload), in: Letterbox.environment)
        else { throw KithError.wrongAccount }
        try bring([entry(turn.payload, kind: .turn, id: turn.id)])
        try group.apply(staged)
        let tag = try #require(effects.followTag(of: channel))
        effects += try box.handle([.followed(relay, tag: tag, .epochEnded(group.epoch - 1))])
        try startFollow()
    }

    /// The next entry of the log.
    func entry(
        _ payload: [UInt8], kind: EntryKind = .message, id: EntryID = .random(), epoch: UInt64? = nil
    ) -> Entry {
        lastSeq += 1
        return Entry(
            seq: lastSeq, epoch: epoch ?? group.epoch, kind: kind, receivedAtMs: Letterbox.now, id: id,
            payload: payload[...])
    }

    // MARK: Bob

    /// The next entry, with a text of bob's that expires.
    func says(_ text: MessageText, expiresAfter seconds: UInt32) throws -> Entry {
        let id = EntryID.random()
        let content = Content(
            messageID: id, sentAt: Letterbox.now, view: try #require(conversation.machine.record.view),
            expiresAfter: seconds, body: .text(text))
        let message = try group.encrypt(
            try #require(ContentPadding.pad(content.encoded)), in: Letterbox.environment)
        return entry(message.encoded, id: id)
    }

    /// The next entry, with a message of bob's.
    func says(
        _ body: Content.Body = .text("hello"), as claimed: EntryID? = nil, authenticatedData: [UInt8] = [],
        in kind: EntryKind = .message, sentAt: UInt64 = Letterbox.now
    ) throws -> Entry {
        let id = EntryID.random()
        let content = Content(
            messageID: claimed ?? id, sentAt: sentAt, view: try #require(conversation.machine.record.view),
            body: body)
        let message = try group.encrypt(
            try #require(ContentPadding.pad(content.encoded)), authenticatedData: authenticatedData,
            in: Letterbox.environment)
        return entry(message.encoded, kind: kind, id: id)
    }

    /// The next entry, with a proposal of bob's.
    func proposes(_ proposal: Proposal, authenticatedData: [UInt8] = [], in kind: EntryKind = .message) throws -> Entry
    {
        let message = try group.propose(
            proposal, authenticatedData: authenticatedData, in: Letterbox.environment)
        return entry(message.encoded, kind: kind)
    }

    /// Delivers a live challenge of bob's.
    func bringChallenge() throws -> [Effect] { try bring(whisper: whisper(.challenge, proving: .challenge)) }

    /// Returns a report that bob is typing.
    ///
    /// - Parameters:
    ///   - sentAt: the time by bob's clock, in milliseconds since 1970.
    ///   - view: bob's view of the log; alice's if it is not given.
    ///   - signer: the person who signs it; bob if it is not given.
    func typing(at sentAt: UInt64, view: LogView? = nil, signedBy signer: ProfileRecord? = nil) throws -> [UInt8] {
        try whisper(.typing(at: sentAt), proving: .typing(at: sentAt), view: view, signedBy: signer)
    }

    private func whisper(
        _ kind: Whisper.Kind, proving proven: WhisperProof.Kind, view: LogView? = nil,
        signedBy signer: ProfileRecord? = nil
    ) throws -> [UInt8] {
        let view = try #require(view ?? conversation.machine.record.view)
        let proof = WhisperProof(
            kind: proven, nonce: RandomSource.system.bytes(32), account: bob.account.publicKey, view: view)
        let signature = try (signer ?? bob).signer.sign(label: Whisper.label, proof.encoded(in: group))
        let whisper = Whisper(kind, from: group.ownLeafIndex, nonce: proof.nonce, view: view, signature: signature)
        return try #require(try whisper.sealed(on: channel, in: group, random: .system))
    }

    /// Delivers a whisper.
    @discardableResult
    func bring(whisper payload: [UInt8]) throws -> [Effect] {
        let tag = try #require(effects.followTag(of: channel))
        return note(try box.handle([.followed(relay, tag: tag, .whisper(payload[...]))]))
    }

    /// A commit of bob's. His group stays in its epoch.
    ///
    /// - Parameter view: the view that the commit states; alice's if it is not given.
    func commit(_ proposals: [Proposal] = [], stating view: LogView? = nil) throws -> [UInt8] {
        var options = CommitOptions(proposals)
        options.authenticatedData = try #require(view ?? conversation.machine.record.view).encoded
        return try group.commit(options, in: Letterbox.environment).message.encoded
    }

    // MARK: Alice

    /// The lines in alice's history about entries that she could not read.
    var unreadable: [UnreadableReason] {
        get throws {
            try box.alice.history(of: id, before: nil, limit: 100).compactMap {
                if case .notice(.unreadable(let reason, _, _)) = $0.body { reason } else { nil }
            }
        }
    }

    /// Whether a value of alice's store contains a text.
    func isStored(_ text: String) throws -> Bool {
        let wanted = Array(text.utf8)
        return try StoreTable.allCases.contains { table in
            try box.store.allRows(table).contains { row in
                let bytes = row.bytes ?? []
                return bytes.indices.contains { bytes[$0...].starts(with: wanted) }
            }
        }
    }

    var texts: [String] {
        get throws {
            try box.alice.history(of: id, before: nil, limit: 100).compactMap {
                if case .text(let text) = $0.body { text } else { nil }
            }
        }
    }
}

/// An entry that a device asks a relay to take.
struct SentEntry {
    let tag: UInt64
    let id: EntryID
    let payload: [UInt8]
}

extension [Effect] {
    /// The turns that the relay is asked to take.
    var turns: [SentEntry] {
        compactMap { effect -> SentEntry? in
            guard case .request(_, let tag, .turn(_, _, let id, let payload, _)) = effect else { return nil }
            return SentEntry(tag: tag, id: id, payload: [UInt8](payload))
        }
    }

    /// The messages that the relay is asked to take.
    var appends: [SentEntry] {
        compactMap { effect -> SentEntry? in
            guard case .request(_, let tag, .append(_, _, let id, let payload)) = effect else { return nil }
            return SentEntry(tag: tag, id: id, payload: [UInt8](payload))
        }
    }
}
