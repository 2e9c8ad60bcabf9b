import Foundation
import KithSimulation
import KithWire
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A damaged entry", .timeLimit(.minutes(5)))
struct DamagedEntryTests {
    /// Alice's profile with the texts one, two and three, of which two is damaged; opened for reading, as commands do.
    private func withDamage(_ body: (ProfileMachine, ConversationID, Person, Person) async throws -> Void) async throws
    {
        try await withAliceAndBob { alice, bob, _ in
            let (atAlice, atBob) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            for text in ["one", "two", "three"] { _ = try await bob.profile.send(text, to: atBob) }
            let expected = ["bob: one", "bob: two", "bob: three"]
            try await eventually({ try await alice.texts(atAlice) }) { $0 == expected }
            let two = try #require(
                try await alice.profile.history(of: atAlice).first { $0.body == .text("two") }?.seq)
            alice.store.damage(StoreKey(.entry, owner: atAlice.rawValue, item: two))
            try await body(
                try ProfileMachine(reading: alice.store, now: Profile.now), atAlice, alice, bob)
        }
    }

    private func texts(_ messages: [Message]) -> [String] {
        messages.compactMap { message in
            switch message.body {
            case .text(let text): text
            case .notice(.unreadable(let reason, _, _)): reason.sentence.description
            default: nil
            }
        }
    }

    @Test("costs one entry in the history, in searches and in backups")
    func one() async throws {
        try await withDamage { machine, conversation, alice, _ in
            let history = try machine.history(of: conversation, before: nil, limit: 100)
            #expect(texts(history).suffix(3) == ["one", "it is damaged on this device's disk", "three"])
            #expect(machine.damagedEntries.count == 1)
            #expect(texts(try machine.search(MessageSearch(["o"]), limit: 100)) == ["one"])
            #expect(texts(try machine.search(MessageSearch(["three"]), limit: 100)) == ["three"])
            try await withTemporaryFolder { folder in
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                let file = folder.appendingPathComponent("backup")
                let damage = try await alice.profile.writeBackup(to: file, passphrase: "abc", cost: .cheap)
                #expect(damage.entries == 1 && damage.otherValues == 0)
                let store = MemoryProfileStore()
                try store.commit(try Profile.transaction(from: file, "abc", deviceName: "new"))
                let restored = try ProfileMachine(opening: store, now: Profile.now)
                let there = try restored.history(of: conversation, before: nil, limit: 100)
                #expect(texts(there).suffix(2) == ["one", "three"])
            }
        }
    }

    @Test("does not stop a conversation")
    func goesOn() async throws {
        try await withDamage { _, conversation, alice, bob in
            let again = try await alice.reopened()
            let atBob = try await bob.conversation("alice")
            _ = try await bob.profile.send("four", to: atBob)
            try await eventually({ try await again.texts(conversation) }) {
                $0 == ["bob: one", "bob: three", "bob: four"]
            }
            let last = try #require(try await again.profile.history(of: conversation).last?.seq)
            try await again.profile.markRead(conversation, through: 1)
            try await again.profile.markRead(conversation, through: last)
            _ = try await again.profile.send("five", to: conversation)
            try await eventually({ try await bob.texts(atBob).last }) { $0 == "alice: five" }
            #expect(await again.profile.failure == nil)
            await again.profile.close()
        }
    }

    @Test("damaged records are left out when a profile is opened for reading")
    func others() async throws {
        try await withAliceAndBob { alice, _, _ in
            let contact = try await alice.contact("bob")
            alice.store.damage(StoreKey(.contact, item: contact.rawValue))
            #expect(throws: KithError.store(.damaged(.contact))) {
                try ProfileMachine(opening: alice.store, now: Profile.now)
            }
            let reader = try ProfileMachine(reading: alice.store, now: Profile.now)
            #expect(reader.damagedValues == 1)
            #expect(try reader.conversationSummaries().count == 1)
        }
    }
}
