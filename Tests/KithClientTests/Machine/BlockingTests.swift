import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Blocking")
struct BlockingTests {
    private static let word = "unwanted words"

    private func bobsID(_ played: PlayedConversation) throws -> ContactID {
        try #require(played.box.alice.contactList.first { $0.name == "bob" }).id
    }

    private func messages(in effects: [Effect]) -> [Message] {
        effects.compactMap { if case .event(.message(let message)) = $0 { message } else { nil } }
    }

    @Test(
        "a blocked person's text is dropped: it is not stored, reported or counted, in a group and with one person",
        arguments: [false, true])
    func text(isDirect: Bool) throws {
        let played = try PlayedConversation(isDirect: isDirect)
        let bob = try bobsID(played)
        try played.perform(.setBlocked(bob, true))
        let before = try played.box.alice.conversationSummary(played.id)
        let effects = try played.bring([played.says(.text(MessageText(Self.word)))])
        #expect(messages(in: effects).isEmpty)
        #expect(try played.texts == [] && !played.isStored(Self.word))
        let after = try played.box.alice.conversationSummary(played.id)
        #expect(after.unread == 0 && after.lastSeq == before.lastSeq + 1)
        #expect(after.lastActivityMs == before.lastActivityMs)

        try played.perform(.setBlocked(bob, false))
        try played.bring([played.says(.text("welcome words"))])
        #expect(try played.texts == ["welcome words"] && played.isStored("welcome words"))
        #expect(try played.box.alice.conversationSummary(played.id).unread == 1)
    }

    @Test("nothing else that a blocked person says is shown or changes anything")
    func otherContent() throws {
        let played = try PlayedConversation(isDirect: true)
        let bob = try bobsID(played)
        try played.perform(.setBlocked(bob, true))
        let card = InboxAddress(
            relay: played.box.point, channel: .random(), appendToken: .random(),
            sealKey: InboxSealKey(random: .system), account: played.bob.account.publicKey.fingerprint)
        for body in [.receipt(readThrough: 1), .contactCard(card), .unknown(kind: 999, [1])] as [Content.Body] {
            #expect(messages(in: try played.bring([played.says(body)])).isEmpty)
        }
        // Broken entries of a blocked person are not reported either.
        #expect(messages(in: try played.bring([played.says(as: .random())])).isEmpty)
        #expect(messages(in: try played.bring([played.says(authenticatedData: [1])])).isEmpty)
        let proposal = try played.proposes(.remove(played.group.ownLeafIndex), authenticatedData: [1])
        #expect(messages(in: try played.bring([proposal])).isEmpty)
        #expect(try played.unreadable == [])
        let contact = try #require(played.box.alice.contactList.first { $0.id == bob })
        #expect(contact.inbox == nil && played.conversation.machine.record.readBy.isEmpty)
    }

    @Test("a blocked person's title, pin, timer and commit apply, and only the timer and the commit are shown")
    func groupChanges() throws {
        let played = try PlayedConversation()
        let message = try played.says()
        try played.bring([message])
        try played.perform(.setBlocked(try bobsID(played), true))
        #expect(messages(in: try played.bring([played.says(.title("a new name"))])).isEmpty)
        let pin = Content.Body.change(.pin(true), of: MessageReference(seq: message.seq, id: message.id))
        #expect(messages(in: try played.bring([played.says(pin)])).isEmpty)
        let summary = try played.box.alice.conversationSummary(played.id)
        #expect(summary.name == "a new name" && summary.pinned == [message.seq])
        let timer = messages(in: try played.bring([played.says(.timer(60))]))
        #expect(timer.map(\.body) == [.notice(.timer(seconds: 60, by: "bob"))])
        try played.bring([played.entry(try played.commit(), kind: .turn)])
        #expect(played.status == .active && played.conversation.machine.record.epoch == played.group.epoch + 1)
    }

    @Test("a live check of a blocked person is not answered", arguments: [false, true])
    func liveCheck(isBlocked: Bool) throws {
        let played = try PlayedConversation()
        if isBlocked { try played.perform(.setBlocked(try bobsID(played), true)) }
        let effects = try played.bringChallenge()
        let answers = effects.count { if case .request(_, _, .whisper) = $0 { true } else { false } }
        #expect(answers == (isBlocked ? 0 : 1))
    }

    @Test("the clock of a blocked person is not compared", arguments: [false, true])
    func clock(isBlocked: Bool) throws {
        let played = try PlayedConversation()
        if isBlocked { try played.perform(.setBlocked(try bobsID(played), true)) }
        let effects = try played.bring([played.says(sentAt: Letterbox.now + 2 * 3_600_000)])
        #expect(effects.contains { if case .event(.clock) = $0 { true } else { false } } == !isBlocked)
    }

    @Test("a blocked person's different view, in a message or a commit, is kept as evidence and reported to nobody")
    func view() throws {
        let played = try PlayedConversation()
        try played.perform(.setBlocked(try bobsID(played), true))
        let view = try #require(played.conversation.machine.record.view)
        let other = LogView(seq: view.seq, hash: [UInt8](repeating: 9, count: 32), previous: view.previous)
        let id = EntryID.random()
        let content = Content(messageID: id, sentAt: Letterbox.now, view: other, body: .text("hello"))
        let message = try played.group.encrypt(
            try #require(ContentPadding.pad(content.encoded)), in: Letterbox.environment)
        let entry = played.entry(message.encoded, id: id)
        let turn = played.entry(try played.commit(stating: other), kind: .turn)
        let effects = try played.bring([entry, turn])
        #expect(!played.conversation.machine.record.isSuspect && played.status == .active)
        #expect(!effects.contains { if case .event(.warning) = $0 { true } else { false } })
        #expect(try played.texts == [])
        for seq in [entry.seq, turn.seq] {
            let lines = try played.box.alice.explain(seq, in: played.id).map(\.description)
            #expect(lines.contains { $0.contains("different histories") })
        }
        let shown = try played.box.alice.messages(in: played.id, from: 0, entries: 100).messages
        #expect(shown.flatMap(\.warnings) == [])
    }

    @Test("a text that waits for a person is dropped by the block, and the user is told")
    func waitingText() throws {
        let played = try PlayedConversation(isDirect: true)
        // The keys have to be renewed before the first text.
        try played.send(Self.word)
        let bob = try bobsID(played)
        let erasures = played.box.store.erasures.value
        let effects = try played.perform(.setBlocked(bob, true))
        var dropped: Int?
        for case .finish(_, .success(let answer)) in effects { dropped = answer as? Int }
        #expect(try dropped == 1 && !played.isStored(Self.word))
        #expect(played.box.store.erasures.value == erasures + 1)
        #expect(effects.count { if case .event(.warning(_, .notSentToBlocked, _)) = $0 { true } else { false } } == 1)
        try played.bringTurn()
        #expect(played.effects.appends.isEmpty)
        // The contact card is sent after the block.
        let unblocked = try played.perform(.setBlocked(bob, false))
        #expect(unblocked.appends.count == 1 && played.conversation.machine.outbox.items.map(\.isCard) == [true])
    }

    @Test(
        "a text on its way when its recipient is blocked is not sent again on the next connection",
        arguments: [false, true])
    func sentText(isInLog: Bool) throws {
        let played = try PlayedConversation(isDirect: true)
        try played.send(Self.word)
        try played.bringTurn()
        let text = try #require(played.effects.appends.last)
        let blocked = try played.perform(.setBlocked(try bobsID(played), true))
        for case .finish(_, .success(let answer)) in blocked { #expect(answer as? Int == 0) }
        try played.reconnect(bringing: isInLog ? [played.entry(text.payload, id: text.id)] : [])
        #expect(try played.effects.appends.isEmpty && played.unreadable == [])
        #expect(try played.texts == (isInLog ? [Self.word] : []) && played.isStored(Self.word) == isInLog)
    }

    @Test("files that wait for a person are dropped by the block")
    func waitingFiles() throws {
        let played = try PlayedConversation(isDirect: true)
        let source = FileSource.path("/a", FileStamp(size: 9_000, modifiedNs: 1, inode: 2), isCleaned: false)
        let file = PreparedFile(
            label: FileLabel(name: "a.txt", mediaType: ""), content: .source(source, size: 9_000))
        try played.perform(.sendFiles(played.id, OutgoingFiles(caption: "", files: [file])))
        let effects = try played.perform(.setBlocked(try bobsID(played), true))
        for case .finish(_, .success(let answer)) in effects { #expect(answer as? Int == 1) }
        let dropped = effects.contains { effect in
            if case .event(.file(_, _, .notSent(name: "a.txt", .blocked))) = effect { true } else { false }
        }
        #expect(dropped && played.box.alice.state.device.uploads.isEmpty)
    }

    @Test("reading a blocked person's earlier text sends no receipt", arguments: [false, true])
    func receipt(isBlocked: Bool) throws {
        let played = try PlayedConversation(isDirect: true)
        try played.bring([played.says()])
        if isBlocked { try played.perform(.setBlocked(try bobsID(played), true)) }
        try played.perform(.markRead(played.id, through: 9, sendsReceipt: true))
        let receipts = played.conversation.machine.outbox.items.count {
            if case .content(.receipt) = $0.body { true } else { false }
        }
        #expect(receipts == (isBlocked ? 0 : 1))
    }

    @Test("blocking declines the person's pending conversations, and passes over later invitations silently")
    func invitations() throws {
        let box = try Letterbox()
        let carol = try Letterbox.person("carol")
        try box.bring([box.letter(from: carol, isDirect: true)])
        let summary = try #require(try box.summaries.first)
        let contact = try #require(summary.contact)
        let blocked = try box.perform(.setBlocked(contact, true))
        #expect(try box.alice.conversationSummary(summary.id).status == .left)
        let channel = try #require(box.alice.state.conversations[summary.id]?.machine.record.channel)
        #expect(blocked.requests(about: channel) == 0)

        let later = try box.bring([box.letter(from: carol, isDirect: true), box.letter(from: carol)])
        #expect(try box.summaries.count == 1 && later.deposits == 0)
        #expect(!later.contains { if case .event = $0 { true } else { false } })
        #expect(try box.inbox.record.lastSeq == 3 && box.inbox.record.aside.isEmpty)

        _ = try box.perform(.setBlocked(contact, false))
        try box.bring([box.letter(from: carol, isDirect: true)])
        #expect(try box.summaries.count { $0.isPending } == 1)
    }

    @Test("nothing can be sent to a blocked person: no text, no invitation, no use of their invite")
    func sending() throws {
        let played = try PlayedConversation(isDirect: true)
        let bob = try bobsID(played)
        try played.perform(.setBlocked(bob, true))
        let invite = Invite(
            inbox: InboxAddress(
                relay: played.box.point, channel: .random(), appendToken: .random(),
                sealKey: InboxSealKey(random: .system), account: played.bob.account.publicKey.fingerprint),
            name: "bob", expiresAt: Letterbox.now / 1000 + 60)
        let results = [
            try played.send("hello"), try played.perform(.startConversation(bob, waits: false)),
            try played.perform(.createGroup(title: "group", played.box.point, [bob])),
            try played.perform(.join(invite, name: nil)),
        ]
        for effects in results {
            var error: KithError?
            for case .finish(_, .failure(let failure)) in effects { error = failure }
            #expect(error == .blocked("bob"))
        }
    }

    @Test("the block is stored, and a contact of an earlier version is not blocked")
    func stored() throws {
        let played = try PlayedConversation()
        try played.perform(.setBlocked(try bobsID(played), true))
        try played.box.reopen()
        let contact = try #require(played.box.alice.contactList.first { $0.name == "bob" })
        #expect(contact.isBlocked)
        #expect(try Contact(id: contact.id, stored: contact.stored) == contact)
        let old = try Contact(id: contact.id, stored: [2] + contact.stored.dropFirst().dropLast(5))
        #expect(!old.isBlocked && old.accountKey == contact.accountKey)
    }
}
