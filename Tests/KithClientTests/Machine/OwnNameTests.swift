import KithWire
import MLS
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("People who change their own name")
struct OwnNameTests {
    /// A commit of bob's with a certificate that has another name.
    private func renaming(_ played: PlayedConversation, to name: String) throws -> Entry {
        var options = CommitOptions([])
        options.authenticatedData = try #require(played.conversation.machine.record.view).encoded
        options.newLeaf = try played.bob.renamed(to: name).client
        return played.entry(try played.group.commit(options, in: Letterbox.environment).message.encoded, kind: .turn)
    }

    private func notices(_ effects: [Effect]) -> [Notice] {
        effects.compactMap {
            if case .event(.message(let message)) = $0, case .notice(.calledNow(let before, let now)) = message.body {
                .calledNow(before, now: now)
            } else {
                nil
            }
        }
    }

    @Test("a contact's name follows, with one notice")
    func follows() throws {
        let played = try PlayedConversation()
        let effects = try played.bring([renaming(played, to: "robert")])
        #expect(notices(effects) == [.calledNow("bob", now: "robert")])
        let contact = try #require(played.box.alice.contactList.first)
        #expect(contact.name == "robert" && contact.ownName == "robert")
        try played.box.reopen()
        #expect(played.box.alice.contactList.first == contact)
    }

    @Test("a name that the user has chosen stays")
    func chosenName() throws {
        let played = try PlayedConversation()
        let bob = try #require(played.box.alice.contactList.first).id
        try played.perform(.renameContact(bob, "my bob"))
        let effects = try played.bring([renaming(played, to: "robert")])
        #expect(notices(effects) == [.calledNow("my bob", now: "robert")])
        #expect(played.box.alice.contactList.map(\.name) == ["my bob"])
    }

    @Test("nobody gets the user's name, and a known change or a blocked person's gives no notice")
    func book() throws {
        var book = ContactBook(folding: .unicode, own: "alice")
        var step = Step()
        let key = try #require(AccountKey([UInt8](repeating: 7, count: 32)))
        let id = book.remember(Acquaintance(accountKey: key, name: "bob"), in: &step)
        #expect(book.follow("alice", from: "bob", of: id, in: &step) == .calledNow("bob", now: "alice (2)"))
        #expect(book.follow("alice", from: "bob", of: id, in: &step) == nil)
        try book.setBlocked(id, true, in: &step)
        #expect(book.follow("carol", from: "alice", of: id, in: &step) == nil)
        #expect(book[id]?.ownName == "carol")
        #expect(throws: KithError.nameTaken("alice (2)")) { try book.renameUser(from: "alice", to: "alice (2)") }
        try book.renameUser(from: "alice", to: "alicia")
        let other = try #require(AccountKey([UInt8](repeating: 8, count: 32)))
        let namesake = book.remember(Acquaintance(accountKey: other, name: "alice"), in: &step)
        #expect(book[namesake]?.name == "alice")
    }

    @Test("the user's new name goes to all members, and into key packages and invites")
    func ownName() async throws {
        try await withAliceAndBob { alice, bob, relay in
            try await bob.profile.renameUser(to: "  robert ")
            #expect(await bob.profile.identity().name == "robert")
            try await eventually({ await alice.profile.contacts().map(\.name) }) { $0 == ["robert"] }
            let id = try await alice.conversation("robert")
            #expect(
                try await alice.profile.history(of: id).contains {
                    $0.body == .notice(.calledNow("bob", now: "robert"))
                })
            let again = try await bob.reopened()
            #expect(await again.profile.identity().name == "robert")
            let invite = try await again.profile.createInvite(at: relay)
            #expect(invite.invite.name == "robert")
            await #expect(throws: KithError.nameTaken("alice")) { try await again.profile.renameUser(to: "alice") }
            await again.profile.close()
        }
    }
}
