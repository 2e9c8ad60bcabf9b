import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Requests of strangers")
struct RequestTests {
    @Test("a request has its sender and first lines until it is accepted, also after a restart")
    func lines() throws {
        let box = try Letterbox()
        box.firstLines = "Hello Alice\nIt is Carol"
        let letter = try box.letter(from: Letterbox.person("carol"))
        let effects = try box.bring([letter])
        let request = try #require(try box.summaries.first)
        let carol = try #require(box.alice.contactList.first { $0.name == "carol" }).id
        #expect(request.isPending && request.inviter == carol && request.firstLines == "Hello Alice\nIt is Carol")
        let channel = try #require(box.alice.state.conversations[request.id]?.machine.record.channel)
        #expect(effects.requests(about: channel) == 0)
        try box.reopen()
        #expect(try box.summaries.first == request)
        _ = try box.perform(.accept(request.id))
        let accepted = try #require(try box.summaries.first)
        #expect(accepted.inviter == nil && accepted.firstLines.isEmpty)
    }

    @Test("declining erases the first lines")
    func declined() throws {
        let box = try Letterbox()
        box.firstLines = "buy now"
        try box.bring([box.letter(from: Letterbox.person("carol"), isDirect: true)])
        let request = try #require(try box.summaries.first)
        let effects = try box.perform(.leave(request.id))
        let channel = try #require(box.alice.state.conversations[request.id]?.machine.record.channel)
        #expect(effects.requests(about: channel) == 0)
        let record = try #require(try box.store.value(StoreKey(.conversation, item: request.id.rawValue)))
        #expect(!record.indices.contains { record[$0...].starts(with: Array("buy now".utf8)) })
    }

    @Test("no first lines are kept of a person who needs no consent")
    func invited() throws {
        let box = try Letterbox(isReusable: false)
        box.firstLines = "hello"
        try box.bring([box.letter(from: Letterbox.person("carol"), isDirect: true)])
        let summary = try #require(try box.summaries.first)
        #expect(!summary.isPending && summary.firstLines.isEmpty && summary.inviter == nil)
    }

    @Test("blocking a person declines their requests to groups too")
    func blockedInviter() throws {
        let box = try Letterbox()
        let carol = try Letterbox.person("carol")
        try box.bring([box.letter(from: carol), box.letter(from: carol, isDirect: true)])
        let inviter = try #require(try box.summaries.first?.inviter)
        _ = try box.perform(.setBlocked(inviter, true))
        #expect(try box.summaries.map(\.status) == [.left, .left])
    }

    @Test("an archived conversation returns to the list with a message, unless it is muted", arguments: [false, true])
    func listing(isMuted: Bool) throws {
        let played = try PlayedConversation()
        try played.perform(.setArchived(played.id, true))
        if isMuted { try played.perform(.setMuted(played.id, true)) }
        try played.box.reopen()
        #expect(try played.box.alice.conversationSummary(played.id).isArchived)
        #expect(try played.box.alice.conversationSummary(played.id).isMuted == isMuted)
        let again = try PlayedConversation()
        try again.perform(.setArchived(again.id, true))
        if isMuted { try again.perform(.setMuted(again.id, true)) }
        try again.bring([again.says()])
        let summary = try again.box.alice.conversationSummary(again.id)
        #expect(summary.isArchived == isMuted && summary.unread == 1)
        try again.perform(.setArchived(again.id, false))
        #expect(try again.box.alice.conversationSummary(again.id).isArchived == false)
    }

    @Test("a message that is deleted here leaves its entry, and no text in the store")
    func deletedHere() throws {
        let played = try PlayedConversation()
        try played.bring([played.says(.text("secret words")), played.says(.text("other words"))])
        let seq = try #require(
            try played.box.alice.history(of: played.id, before: nil, limit: 9).first { $0.text == "secret words" }?.seq)
        #expect(try played.box.alice.conversationSummary(played.id).unread == 2)
        let effects = try played.perform(.deleteHere(played.id, seq))
        #expect(effects.contains { if case .event(.messageChanged(_, .deleted)) = $0 { true } else { false } })
        #expect(try played.texts == ["other words"] && !played.isStored("secret words"))
        #expect(try played.box.alice.conversationSummary(played.id).unread == 1)
        let record = try #require(
            try played.box.alice.state.device.readableEntry(at: EntryPlace(conversation: played.id, seq: seq)))
        #expect(record.body == .deletedHere)
        var error: KithError?
        for case .finish(_, .failure(let failure)) in try played.perform(.deleteHere(played.id, seq)) {
            error = failure
        }
        #expect(error == .notFound("message \(seq)"))
    }

    @Test("an invitation carries the texts that wait for the person, without those that expire")
    func outbox() throws {
        var step = Step()
        var outbox = Outbox(of: ConversationID(rawValue: 1))
        let items: [(String, UInt32?)] = [("hello", nil), ("gone soon", 60), ("it is me", nil)]
        for (number, (text, expires)) in items.enumerated() {
            outbox.append(
                OutboxItem(
                    entryID: .random(), sentAt: 1, replyTo: nil, expiresAfter: expires,
                    body: .content(.text(MessageText(text)))),
                as: UInt64(number), in: &step)
        }
        #expect(outbox.firstLines(timer: nil).text == "hello\nit is me")
        #expect(outbox.firstLines(timer: 60).text == "")
    }
}
