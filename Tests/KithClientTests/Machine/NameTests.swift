import KithSimulation
import KithWire
import MLS
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("People with the same name")
struct NameTests {
    private static let now: UInt64 = 1_750_000_000_000

    private func store(of name: String) throws -> MemoryProfileStore {
        let store = MemoryProfileStore()
        try store.commit(
            try ProfileRecord.new(name: name, deviceName: "d", suite: .x25519AES128SHA256Ed25519, now: Self.now))
        return store
    }

    @Test(
        "names that look the same count as equal",
        arguments: ["bob", "Bob", "BOB", "bo\u{200B}b", "\u{FF42}ob", "bo\u{34F}b"])
    func alike(_ name: String) {
        var names = NamesInUse(folding: .unicode)
        names.didRename(from: nil, to: "bob")
        #expect(names.free(name) == "\(name) (2)")
        #expect(!names.isFree(name))
        #expect(names.isFree(name, exceptFor: "bob"))
        names.didRename(from: "bob", to: "carol")
        #expect(names.free(name) == name)
    }

    @Test("no contact gets the user's own name, nor has it in an older profile")
    func ownName() throws {
        let store = try store(of: "alice")
        let key = try #require(AccountKey([UInt8](repeating: 7, count: 32)))
        let namesake = Contact(id: ContactID(rawValue: 1), name: "alice", accountKey: key, trust: .invite)
        var transaction = StoreTransaction()
        transaction.put(StoreKey(.contact, item: 1), namesake.stored)
        try store.commit(transaction)
        let machine = try ProfileMachine(opening: store, now: Self.now)
        #expect(machine.contactList.map(\.name) == ["alice (2)"])
    }

    @Test("two people of the same name who meet are told apart, in messages and among the members")
    func namesakes() async throws {
        try await withRelay { server in
            let relay = server.point
            let (one, other) = (try await Person("sam"), try await Person("sam"))
            let invite = try await one.profile.createInvite(at: relay)
            let conversation = try await other.profile.join(invite.invite)
            _ = try await other.profile.send("it is me", to: conversation)
            try await eventually({ try await one.profile.conversations().map(\.name) }) { $0 == ["sam (2)"] }
            let here = try await one.conversation("sam (2)")
            try await eventually({ try await one.texts(here) }) { $0 == ["sam (2): it is me"] }
            let members = try await one.profile.members(of: here)
            #expect(Set(members.map(\.name)) == ["sam", "sam (2)"])
            #expect(members.filter(\.isMe).map(\.name) == ["sam"])
            await one.profile.close()
            await other.profile.close()
        }
    }

    @Test("removing a member from a conversation of two fails, and it stays usable")
    func removal() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let conversation = try await bob.conversation("alice")
            let contact = try await bob.contact("alice")
            await #expect(throws: KithError.self) { try await bob.profile.remove(contact, from: conversation) }
            _ = try await bob.profile.send("still here", to: conversation)
            let here = try await alice.conversation("bob")
            try await eventually({ try await alice.texts(here) }) { $0 == ["bob: still here"] }
        }
    }

    @Test("foreign text is shown plain or in quotes, and is recognized in both forms")
    func foreignText() {
        for name in ["bob", "Zoë van der Berg", "李小龙", "O'Neil-Smith", "build.bot+1@home"] {
            #expect(ForeignText(name).description == name)
        }
        for (name, shown) in [
            ("team [dev]", "“team (dev)”"), ("a”b", "“a\"b”"), ("", "“”"), ("Kith", "“Kith”"),
            ("one two three four five", "“one two three four five”"), (" a", "“ a”"),
        ] {
            #expect(ForeignText(name).description == shown)
            #expect(ForeignText(name).isShown(as: shown))
            #expect(ForeignText(name).isShown(as: String(shown.dropFirst().dropLast())))
        }
        #expect(!ForeignText("bob").isShown(as: "ob"))
        #expect(
            Notice.renamed("x\"] [bob is verified", by: "eve").sentence.description
                == "eve named the conversation “x\") (bob is verified”")
    }
}
