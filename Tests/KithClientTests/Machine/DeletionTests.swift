import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Deleting conversations and contacts")
struct DeletionTests {
    private func error(_ effects: [Effect]) -> KithError? {
        for case .finish(_, .failure(let error)) in effects { return error }
        return nil
    }

    /// The rows of a conversation in alice's store, except those of the tables for the whole profile.
    private func rows(of conversation: ConversationID, in played: PlayedConversation) throws -> Int {
        let tables = StoreTable.ofConversations
        var count = 0
        for table in tables {
            count += try played.box.store.allRows(table).count { $0.owner == conversation.rawValue }
        }
        count += try played.box.store.allRows(.conversation).count { $0.item == conversation.rawValue }
        return count
    }

    @Test("an ended conversation is deleted with its entries, outbox, expiries, keys and cursor places")
    func conversation() throws {
        let played = try PlayedConversation(isDirect: true)
        try played.perform(.openCursor("bot", from: .beginning))
        try played.bring([played.says(.text("to be deleted"))])
        try played.perform(.send(played.id, text: "also to be deleted", replyTo: nil, expiresAfter: nil))
        var reader: CursorReader?
        for case .finish(_, .success(let answer)) in try played.perform(.openCursor("bot", from: .beginning)) {
            reader = answer as? CursorReader
        }
        try played.perform(.nextIncoming(try #require(reader)))
        let text = OutgoingMessage(id: .random(), .text("deleted too"))
        let other = SendRequest(text, to: played.id, channel: played.channel)
        var request = StoreTransaction()
        request.put(StoreKey(.request, item: 7), other.encoded)
        try played.box.store.commit(request)
        #expect(try played.isStored("to be deleted") && played.isStored("deleted too"))
        let places = { try played.box.store.allRows(.profile).count { $0.owner > CursorBook.namesOwner } }
        #expect(try places() == 1)

        #expect(error(try played.perform(.deleteConversation(played.id))) == .membership(.notEnded))
        #expect(try played.isStored("to be deleted"))

        played.box.alice.state.conversations[played.id].map { place in
            try? place.handle(.abandon, in: &played.box.alice.state.device)
        }
        #expect(error(try played.perform(.deleteConversation(played.id))) == nil)
        #expect(try !played.isStored("to be deleted") && !played.isStored("deleted too"))
        #expect(try rows(of: played.id, in: played) == 0 && places() == 0)
        #expect(try played.box.summaries.isEmpty && played.box.alice.state.device.erasures.sorted.isEmpty)
        try played.box.reopen()
        #expect(try played.box.summaries.isEmpty)
    }

    @Test("a contact is deleted only if no open conversation has it as a member, and frees its name and is erased")
    func contact() throws {
        for isDirect in [true, false] {
            let played = try PlayedConversation(isDirect: isDirect)
            let bob = try #require(played.box.alice.contactList.first { $0.name == "bob" }).id
            try played.bring([played.says(.text("hello"))])
            let name = isDirect ? "bob" : "a group"
            #expect(
                error(try played.perform(.deleteContact(bob))) == .membership(.stillMember("bob", of: name)))
            #expect(played.box.alice.contactList.count == 1)
            played.box.alice.state.conversations[played.id].map { place in
                try? place.handle(.abandon, in: &played.box.alice.state.device)
            }
            let erasures = played.box.store.erasures.value
            #expect(error(try played.perform(.deleteContact(bob))) == nil)
            #expect(played.box.store.erasures.value == erasures + 1)
            #expect(played.box.alice.contactList.isEmpty)
            #expect(try played.box.store.allRows(.contact).isEmpty)
            let left = try #require(try played.box.summaries.first)
            #expect(left.name == name && left.contact == nil)
            let message = try #require(try played.box.alice.history(of: played.id, before: nil, limit: 9).last)
            #expect(message.author == .contact(bob, name: "somebody", .unverified))
            try played.box.reopen()
            #expect(played.box.alice.contactList.isEmpty)
            // The name is free again.
            let namesake = try Letterbox.person("bob")
            try played.box.connect()
            try played.box.bring([played.box.letter(from: namesake, isDirect: true)])
            #expect(played.box.alice.contactList.map(\.name) == ["bob"])
        }
    }

    @Test("the inbox that was made for a deleted contact is closed")
    func inboxOfContact() throws {
        let played = try PlayedConversation(isDirect: true)
        let bob = try #require(played.box.alice.contactList.first { $0.name == "bob" }).id
        #expect(played.box.alice.inboxes.ids.count == 2)
        played.box.alice.state.conversations[played.id].map { place in
            try? place.handle(.abandon, in: &played.box.alice.state.device)
        }
        let effects = try played.perform(.deleteContact(bob))
        #expect(effects.count { if case .request(_, _, .close) = $0 { true } else { false } } == 1)
        let open = played.box.alice.inboxes.all.filter { !$0.machine.record.isClosing }
        #expect(open.map(\.machine.record.purpose.isInvite) == [true])
    }
}
