import KithSimulation
import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Reactions, edits, deletions and pins")
struct MessageChangeTests {
    private let played: PlayedConversation

    init() throws { played = try PlayedConversation() }

    /// The last page of alice's history, without notices.
    private var messages: [Message] {
        get throws {
            try played.box.alice.history(of: played.id, before: nil, limit: 100).filter { $0.author != .kith }
        }
    }

    private func reference(_ entry: Entry) -> MessageReference { MessageReference(seq: entry.seq, id: entry.id) }

    /// Delivers a text of bob's.
    private func hello(_ text: MessageText = "hello") throws -> Entry {
        let entry = try played.says(.text(text))
        try played.bring([entry])
        return entry
    }

    /// Delivers a change of bob's.
    private func change(_ change: MessageChange, _ target: MessageReference) throws -> [Effect] {
        try played.bring([played.says(.change(change, of: target))])
    }

    private func updates(_ effects: [Effect]) -> [MessageUpdate] {
        effects.compactMap { if case .event(.messageChanged(_, let update)) = $0 { update } else { nil } }
    }

    /// Sends a text of alice's, and delivers it.
    private func own(_ text: String) throws -> Entry {
        // Before the first message, alice renews her keys.
        if try !played.send(text).turns.isEmpty { try played.bringTurn() }
        let sent = try #require(played.effects.appends.last)
        let entry = played.entry(sent.payload, id: sent.id)
        try played.bring([entry])
        return entry
    }

    /// Delivers the last entry that alice has sent.
    private func bringOwn(_ effects: [Effect]) throws -> [Effect] {
        let sent = try #require(effects.appends.last)
        return try played.bring([played.entry(sent.payload, id: sent.id)])
    }

    private func isStored(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return StoreTable.allCases.contains { table in
            ((try? played.box.store.allValues(table)) ?? []).contains { $0.bytes.contains(bytes) }
        }
    }

    @Test("the author edits and deletes; the message keeps its place")
    func author() throws {
        let entry = try hello("the first words")
        #expect(try updates(change(.edit("the second words"), reference(entry))) == [.edited])
        var shown = try #require(try messages.first)
        #expect(shown.text == "the second words" && shown.isEdited && shown.seq == entry.seq)
        let sentences = try played.box.alice.explain(entry.seq, in: played.id).map(\.description)
        #expect(sentences.contains { $0.contains("the first words") })

        #expect(isStored("the first words") && isStored("the second words"))
        #expect(try updates(change(.deletion, reference(entry))) == [.deleted])
        shown = try #require(try messages.first)
        #expect(shown.body == .deleted && shown.seq == entry.seq && !shown.isEdited)
        #expect(!isStored("the first words") && !isStored("the second words"))
        #expect(try updates(change(.edit("back"), reference(entry))).isEmpty)
        #expect(try messages.first?.body == .deleted)
    }

    @Test("nobody else can edit or delete, neither by the program nor by a modified one")
    func others() throws {
        let mine = try own("my own words")
        for attempt in [MessageChange.edit("bob's words"), .deletion] {
            #expect(try updates(change(attempt, reference(mine))).isEmpty)
        }
        #expect(try messages.map(\.text) == ["my own words"])
        let entry = try hello()
        for command in [
            Command<EntryID>.change(played.id, entry.seq, .edit("x")), .change(played.id, entry.seq, .deletion),
        ] {
            let effects = try played.perform(command)
            #expect(effects.appends.isEmpty && effects.failure == .message(.notMine))
        }
    }

    @Test("a change names the seq and the id; with another id, a later seq or a notice it has no effect")
    func wrongTarget() throws {
        let entry = try hello()
        for target in [
            MessageReference(seq: entry.seq, id: .random()), MessageReference(seq: entry.seq + 50, id: entry.id),
            MessageReference(seq: 0, id: entry.id),
        ] {
            for attempt in [MessageChange.reaction("👍"), .edit("x"), .deletion, .pin(true)] {
                #expect(try updates(change(attempt, target)).isEmpty)
            }
        }
        #expect(try messages.map(\.text) == ["hello"])
        #expect(try messages.allSatisfy { $0.reactions.isEmpty && !$0.isPinned })
    }

    @Test("a change takes effect on a message of the same delivery")
    func sameDelivery() throws {
        let text = try played.says(.text("hello"))
        try played.bring([
            text, played.says(.change(.reaction("👍"), of: reference(text))),
            played.says(.change(.edit("hello again"), of: reference(text))),
            played.says(.change(.reaction("🎉"), of: reference(text))),
        ])
        let shown = try #require(try messages.first)
        #expect(shown.text == "hello again" && shown.reactions.map(\.text) == ["🎉"])
    }

    @Test("own changes take effect when the log has them")
    func own() throws {
        let entry = try own("own words")
        let effects = try played.perform(.change(played.id, entry.seq, .reaction("👍")))
        #expect(try messages.first?.reactions.isEmpty == true)
        #expect(try updates(bringOwn(effects)) == [.reaction("👍", by: .me)])
        #expect(try messages.first?.reactions.map(\.author) == [.me])
        _ = try bringOwn(played.perform(.change(played.id, entry.seq, .edit("other words"))))
        #expect(try messages.first?.text == "other words")
        _ = try bringOwn(played.perform(.change(played.id, entry.seq, .deletion)))
        #expect(try messages.first?.body == .deleted && !isStored("other words") && !isStored("own words"))
        #expect(try played.perform(.change(played.id, 3, .reaction("two words"))).failure != nil)
    }

    @Test("a message that was deleted unread is not counted as unread")
    func unread() throws {
        let entry = try hello()
        #expect(played.conversation.machine.record.unread == 1)
        _ = try change(.deletion, reference(entry))
        #expect(played.conversation.machine.record.unread == 0)
    }

    @Test("pins are listed in their order, and a deleted message loses its pin")
    func pins() throws {
        let (first, second) = (try hello("1"), try hello("2"))
        _ = try change(.pin(true), reference(second))
        _ = try change(.pin(true), reference(first))
        #expect(try played.box.alice.conversationSummary(played.id).pinned == [second.seq, first.seq])
        #expect(try messages.map(\.isPinned) == [true, true])
        _ = try change(.deletion, reference(second))
        #expect(try played.box.alice.conversationSummary(played.id).pinned == [first.seq])
        _ = try change(.pin(false), reference(first))
        #expect(try played.box.alice.conversationSummary(played.id).pinned == [])
    }

    @Test("one pin more than the limit removes the oldest")
    func manyPins() throws {
        let entries = try (0...ClientLimits.pins).map { try hello(MessageText("\($0)")) }
        for entry in entries { _ = try change(.pin(true), reference(entry)) }
        #expect(try messages.map(\.isPinned) == [false] + entries.dropFirst().map { _ in true })
    }

    @Test("the conversation's timer applies to later texts of everybody here, and is told")
    func timer() throws {
        _ = try played.bring([played.says(.timer(60))])
        #expect(try played.box.alice.conversationSummary(played.id).timerSeconds == 60)
        _ = try own("gone in a minute")
        #expect(try messages.last?.expiresAfter == 60)
        let effects = try played.wait(milliseconds: 61_000)
        #expect(updates(effects) == [.expired])
        #expect(!isStored("gone in a minute"))
    }

    @Test("a deletion takes effect on a text that is hidden and still on the disk; an edit of it is not reported")
    func hidden() throws {
        let text = try played.says("hidden words", expiresAfter: 60)
        try played.bring([text])
        // The device's clock is ahead by an hour. By the relay's clock, the text has not expired.
        played.box.clockError = 3_600_000
        try played.wait(milliseconds: 1_000)
        #expect(try messages.isEmpty && isStored("hidden words"))
        #expect(try updates(change(.edit("other words"), reference(text))).isEmpty)
        #expect(try updates(change(.reaction("👍"), reference(text))).isEmpty)
        #expect(try updates(change(.deletion, reference(text))) == [.deleted])
        #expect(!isStored("hidden words") && !isStored("other words"))
    }

    @Test("a backup contains the marks of messages")
    func backup() throws {
        let entry = try hello("words")
        _ = try change(.reaction("👍"), reference(entry))
        _ = try change(.edit("other words"), reference(entry))
        var contents = BackupContents()
        try played.box.alice.eachBackupRecord { (record) throws(KithError) in try contents.take(record) }
        let store = MemoryProfileStore()
        try store.commit(contents.transaction(deviceName: "new", now: Letterbox.now))
        let restored = try ProfileMachine(opening: store, now: Letterbox.now)
        let shown = try restored.history(of: played.id, before: nil, limit: 10).first { $0.author != .kith }
        #expect(shown?.text == "other words" && shown?.isEdited == true && shown?.reactions.map(\.text) == ["👍"])
    }

    @Test("a reply shows whom it answers, also in the same delivery")
    func quote() throws {
        _ = try own("hello")
        let entry = try hello("a question")
        let effects = try played.perform(
            .send(played.id, text: "an answer", replyTo: entry.id, expiresAfter: nil))
        _ = try bringOwn(effects)
        let quote = try #require(try messages.last?.quote)
        #expect(quote.seq == entry.seq && quote.text == "a question")
        _ = try change(.deletion, reference(entry))
        #expect(try messages.last?.quote?.text == nil)
    }

    @Test("a search finds the text as it is now, by its author and its time")
    func search() throws {
        let machine = played.box.alice
        _ = try own("my invoice")
        let entry = try hello("the first invoice")
        _ = try change(.edit("the second bill"), reference(entry))
        func found(_ search: MessageSearch) throws -> [String?] { try machine.search(search, limit: 10).map(\.text) }
        #expect(try found(MessageSearch(["INVOICE"])) == ["my invoice"])
        var search = MessageSearch(["i"])
        search.author = .me
        #expect(try found(search) == ["my invoice"])
        search.author = .contact(try #require(machine.contactList.first?.id))
        #expect(try found(search) == ["the second bill"])
        search.fromMs = Letterbox.now + 10 * 86_400_000
        #expect(try found(search) == [])
        search = MessageSearch()
        search.hasFile = true
        #expect(try found(search) == [] && found(MessageSearch()) == [])
    }

    @Test("a mention reaches the person under the own name")
    func mention() throws {
        let alice = played.box.alice.identity.accountKey.fingerprint
        _ = try hello(MessageText("hi @al", mentions: [MessageText.Mention(range: 3..<6, account: alice)]))
        let shown = try #require(try messages.first)
        #expect(shown.mentionsMe && shown.text == "hi @\(played.box.alice.identity.name)")
    }
}

extension [Effect] {
    /// The error with which a command has ended.
    fileprivate var failure: KithError? {
        lazy.compactMap { if case .finish(_, .failure(let error)) = $0 { error } else { nil } }.first
    }
}
