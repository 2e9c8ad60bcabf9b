import Foundation
import KithSimulation
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

/// A person who has restored a backup, beside the device of before.
@Suite("A replaced device")
struct ReplacedDeviceTests {
    /// Restores a person from a backup of the present moment. The old device stays open.
    private func restored(_ person: Person, in folder: URL) async throws -> Person {
        let file = folder.appendingPathComponent("backup")
        try await person.profile.writeBackup(to: file, passphrase: "abc", cost: .cheap)
        let store = MemoryProfileStore()
        try store.commit(try Profile.transaction(from: file, "abc", deviceName: "new"))
        return try await Person(person.name, store: store)
    }

    private func hasAddress(of name: String, _ person: Person) async -> Bool {
        await person.profile.contacts().first { $0.name == name }?.inbox != nil
    }

    @Test("the old device says which entry replaced it, and begins no new conversation")
    func oldDevice() async throws {
        try await withTemporaryFolder { folder in
            try await withAliceAndBob { alice, bob, relay in
                let (atAlice, atBob) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
                try await eventually({ await hasAddress(of: "bob", alice) }) { $0 }
                let back = try await restored(alice, in: folder)
                #expect(try await bob.profile.join(back.profile.createInvite(at: relay).invite) == atBob)
                try await eventually({ try await back.profile.conversation(atAlice).status }) { $0 == .active }

                try await eventually({ try await alice.profile.conversation(atAlice).status }) { $0 != .active }
                let lines = try await bob.profile.history(of: atBob, limit: 100)
                let added = lines.last {
                    if case .notice(.added(_, by: "bob")) = $0.body { true } else { false }
                }
                let seq = try #require(added?.seq)
                let status = ConversationStatus.replaced(by: "bob", device: "new", seq: seq)
                #expect(try await alice.profile.conversation(atAlice).status == status)
                let contact = try await alice.contact("bob")
                for _ in 1...2 {
                    await #expect(throws: KithError.conversation(status)) {
                        try await alice.profile.send("hello", to: atAlice)
                    }
                    await #expect(throws: KithError.conversation(status)) {
                        try await alice.profile.startConversation(with: contact)
                    }
                }
                #expect(try await alice.profile.conversations().count == 1)

                // The user can return to the old device with an invite of that device.
                #expect(try await bob.profile.join(alice.profile.createInvite(at: relay).invite) == atBob)
                try await eventually({ try await alice.profile.conversation(atAlice).status }) { $0 == .active }
                await back.profile.close()
            }
        }
    }

    @Test("a new device that has not come yet has neither an answer nor the address of the old device")
    func notHereYet() async throws {
        try await withTemporaryFolder { folder in
            try await withAliceAndBob { alice, bob, relay in
                let atBob = try await bob.conversation("alice")
                try await eventually({ await hasAddress(of: "alice", bob) }) { $0 }
                try await eventually({ try await bob.profile.conversation(atBob).hasAnswer }) { $0 }
                let back = try await restored(alice, in: folder)
                let invite = try await back.profile.createInvite(at: relay).invite
                await back.profile.close()
                _ = try await bob.profile.join(invite)
                #expect(try await !bob.profile.conversation(atBob).hasAnswer)
                #expect(await !hasAddress(of: "alice", bob))
                let members = [try await bob.contact("alice")]
                await #expect(throws: KithError.notReachable("alice", .notYet)) {
                    try await bob.profile.createGroup("team", at: relay, members: members)
                }
                let here = try await Person("alice", store: back.store)
                try await eventually({ await hasAddress(of: "alice", bob) }) { $0 }
                #expect(try await bob.profile.conversation(atBob).hasAnswer)
                await here.profile.close()
            }
        }
    }

    @Test("a member who has only the old device's address does not bring the old device back")
    func oldAddress() async throws {
        try await withTemporaryFolder { folder in
            try await withAliceAndBob { alice, bob, relay in
                let carol = try await Person("carol")
                _ = try await carol.profile.join(alice.profile.createInvite(at: relay).invite)
                try await eventually({ await alice.profile.contacts().filter { $0.inbox != nil }.count }) { $0 == 2 }
                try await eventually({ await hasAddress(of: "alice", carol) }) { $0 }
                let members = [try await alice.contact("bob"), try await alice.contact("carol")]
                _ = try await alice.profile.createGroup("plans", at: relay, members: members)
                for person in [bob, carol] {
                    try await eventually({ try await person.profile.conversations().map(\.name) }) {
                        $0.contains("plans")
                    }
                }
                let back = try await restored(alice, in: folder)
                _ = try await bob.profile.join(back.profile.createInvite(at: relay).invite)
                try await eventually({ await hasAddress(of: "alice", bob) }) { $0 }
                let (atBob, atCarol) = (try await bob.conversation("plans"), try await carol.conversation("plans"))
                try await bob.profile.add([try await bob.contact("alice")], to: atBob)
                func device(_ person: Person, _ group: ConversationID) async throws -> String? {
                    try await person.profile.members(of: group).first { $0.name == "alice" }?.deviceName
                }
                try await eventually({ try await device(carol, atCarol) }) { $0 == "new" }

                let contact = try await carol.contact("alice")
                await #expect(throws: KithError.deviceReplaced("alice")) {
                    try await carol.profile.add([contact], to: atCarol)
                }
                #expect(try await device(carol, atCarol) == "new")
                // With an invite of the new device, Carol can add that device.
                _ = try await carol.profile.join(back.profile.createInvite(at: relay).invite)
                try await eventually({ await hasAddress(of: "alice", carol) }) { $0 }
                await #expect(throws: KithError.membership(.alreadyMember("alice", device: "new"))) {
                    try await carol.profile.add([contact], to: atCarol)
                }
                let before = try await carol.profile.conversation(atCarol).lastSeq
                try await carol.profile.add([contact], to: atCarol, again: true)
                #expect(try await device(carol, atCarol) == "new")
                #expect(try await carol.profile.conversation(atCarol).lastSeq > before)
                for person in [back, carol] { await person.profile.close() }
            }
        }
    }

    @Test("a known contact's invite at another relay begins a conversation there, and the earlier one stays")
    func otherRelay() async throws {
        try await withRelay { second in
            try await withTemporaryFolder { folder in
                try await withAliceAndBob { alice, bob, _ in
                    let atBob = try await bob.conversation("alice")
                    let back = try await restored(alice, in: folder)
                    let invite = try await back.profile.createInvite(at: second.point).invite
                    let conversation = try await bob.profile.join(invite)
                    #expect(conversation != atBob)
                    let summary = try await bob.profile.conversation(conversation)
                    #expect(summary.relay == second.point.address && summary.relayPin == second.point.pin)
                    #expect(try await bob.profile.conversation(atBob).status == .active)
                    #expect(await bob.profile.contacts().count == 1)
                    // The contact's address is now at the new relay.
                    try await eventually({ await bob.profile.contacts().first?.inbox?.relay.pin }) {
                        $0 == second.point.pin
                    }
                    _ = try await bob.profile.send("hello", to: conversation)
                    try await eventually({
                        try await back.texts(try #require(try await back.profile.conversations().map(\.id).max()))
                    }) { $0 == ["bob: hello"] }
                    #expect(try await bob.profile.startConversation(with: bob.contact("alice")) == conversation)
                    await back.profile.close()
                }
            }
        }
    }
}
