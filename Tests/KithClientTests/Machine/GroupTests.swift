import KithWire
import MLS
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Groups over a real relay")
struct GroupTests {
    /// One person whom all others have met by an invite.
    private func withGroup(
        of count: Int, suite: CipherSuite = .x25519AES128SHA256Ed25519,
        _ body: (_ first: Person, _ others: [Person], _ group: ConversationID, _ relay: RelayPoint) async throws -> Void
    ) async throws {
        try await withRelay(limits: { $0.connectionsPerAddress = 1_000 }) { server in
            let relay = server.point
            let first = try await Person("first", suite: suite)
            var others: [Person] = []
            let invite = try await first.profile.createInvite(at: relay, isReusable: true).invite
            for number in 1..<count {
                let person = try await Person("person \(number)", suite: suite)
                _ = try await person.profile.join(invite)
                others.append(person)
            }
            try await eventually({ try await first.profile.conversations().count }) { $0 == count - 1 }
            for conversation in try await first.profile.conversations() {
                try await first.profile.accept(conversation.id)
            }
            try await eventually({ await first.profile.contacts().count { $0.inbox != nil } }) {
                $0 == count - 1
            }
            let members = await first.profile.contacts().map(\.id)
            let group = try await first.profile.createGroup("all", at: relay, members: members)
            try await body(first, others, group, relay)
            for person in [first] + others { await person.profile.close() }
        }
    }

    @Test("a group too large for a Welcome is joined through a parcel")
    func large() async throws {
        try await withGroup(of: 36) { first, others, group, _ in
            _ = try await first.profile.send("hello all", to: group)
            for person in others {
                try await eventually({ try await person.profile.conversations().map(\.name) }) {
                    $0.contains("all")
                }
                let id = try await person.conversation("all")
                try await eventually({ try await person.texts(id) }) { $0 == ["first: hello all"] }
                #expect(try await person.profile.members(of: id).count == 36)
            }
        }
    }

    @Test("members that send and renew keys at once end with the same log")
    func atOnce() async throws {
        try await withGroup(of: 6) { first, others, group, _ in
            for person in others {
                try await eventually({ try await person.profile.conversations().map(\.name) }) { $0.contains("all") }
            }
            let ids = try await others.asyncMap { try await $0.conversation("all") }
            try await withThrowingTaskGroup { tasks in
                for (person, id) in zip(others, ids) {
                    tasks.addTask {
                        for number in 1...5 {
                            _ = try await person.profile.send("\(number) of \(person.name)", to: id)
                            if number == 3 { try await person.profile.renewKeys(in: id) }
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            try await eventually({ try await first.texts(group).count }) { $0 == 25 }
            let all = try await first.texts(group)
            for (person, id) in zip(others, ids) {
                try await eventually({ try await person.texts(id) }) { $0 == all }
                let own = all.filter { $0.hasPrefix("\(person.name):") }
                #expect(own == (1...5).map { "\(person.name): \($0) of \(person.name)" })
            }
        }
    }

    @Test("a member that leaves is removed, and can't send any more")
    func leaving() async throws {
        try await withGroup(of: 3) { first, others, group, _ in
            try await eventually({ try await others[0].profile.conversations().map(\.name) }) { $0.contains("all") }
            let id = try await others[0].conversation("all")
            try await others[0].profile.leave(id)
            try await eventually({ try await first.profile.members(of: group).count }) { $0 == 2 }
            await #expect(throws: KithError.conversation(.left)) { try await others[0].profile.send("x", to: id) }
            try await eventually({ try await first.profile.history(of: group).map(\.body) }) {
                $0.contains(.notice(.left("person 1")))
            }
        }
    }

    @Test("a renamed group has its new name for all members, also for later ones")
    func renaming() async throws {
        try await withGroup(of: 3) { first, others, group, _ in
            try await first.profile.rename(group, to: "  the   crew ")
            for person in others {
                try await eventually({ try await person.profile.conversations().map(\.name) }) {
                    $0.contains("the crew")
                }
            }
            #expect(try await first.profile.conversation(group).name == "the crew")
        }
    }

    @Test("a member who was added later does not count as a reader of earlier texts")
    func newcomerReads() async throws {
        try await withGroup(of: 3) { first, others, all, relay in
            let contacts = await first.profile.contacts().map(\.id)
            let group = try await first.profile.createGroup("two", at: relay, members: [contacts[0]])
            for text in ["before", "after"] {
                if text == "after" { try await first.profile.add([contacts[1]], to: group) }
                _ = try await first.profile.send(text, to: group)
            }
            for person in others {
                try await eventually({ try await person.profile.conversations().map(\.name) }) { $0.contains("two") }
                let id = try await person.conversation("two")
                try await eventually({ try await person.texts(id) }) { $0.last == "first: after" }
                try await person.profile.markRead(id, through: try await person.profile.conversation(id).lastSeq)
            }
            try await eventually({ try await first.profile.history(of: group).compactMap(\.delivery) }) {
                $0 == [.read(by: 1), .read(by: 2)]
            }
        }
    }

    @Test("read receipts are delivered, and an expiring text is deleted on both sides")
    func receiptsAndExpiry() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let atBob = try await bob.conversation("alice")
            let atAlice = try await alice.conversation("bob")
            _ = try await bob.profile.send("read me", to: atBob)
            _ = try await bob.profile.send("gone soon", to: atBob, expiresAfter: .seconds(5))
            try await eventually({ await bob.profile.queuedMessages() }) { $0 == 0 }
            let last = try await bob.profile.conversation(atBob).lastSeq
            // On a slow machine, the text may have expired by the time it arrives.
            try await eventually({ try await alice.profile.conversation(atAlice).lastSeq }) { $0 >= last }
            try await alice.profile.markRead(atAlice, through: try await alice.profile.conversation(atAlice).lastSeq)
            #expect(try await alice.profile.conversation(atAlice).unread == 0)
            try await eventually({
                try await bob.profile.history(of: atBob).first { $0.body == .text("read me") }?.delivery
            }) {
                $0 == .read(by: 1)
            }
            let seq = try #require(try await bob.profile.history(of: atBob).first { $0.body == .text("read me") }?.seq)
            #expect(try await bob.profile.explain(seq, in: atBob).map(\.description).contains("Read by alice."))
            for (person, id) in [(alice, atAlice), (bob, atBob)] {
                try await eventually({ try await person.texts(id) }) { $0 == ["bob: read me"] }
            }
        }
    }

    @Test("a receipt reports an own message that 60 messages of others follow")
    func lateReceipt() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let atBob = try await bob.conversation("alice")
            let atAlice = try await alice.conversation("bob")
            let first = try await bob.profile.send("first", to: atBob)
            try await eventually({ try await alice.texts(atAlice) }) { $0 == ["bob: first"] }
            for number in 1...60 { _ = try await alice.profile.send("\(number)", to: atAlice) }
            try await eventually({ try await bob.texts(atBob).last }) { $0 == "alice: 60" }
            let events = await bob.profile.events()
            try await alice.profile.markRead(atAlice, through: try await alice.profile.conversation(atAlice).lastSeq)
            for await event in events {
                guard case .message(let message) = event, message.id == first else { continue }
                #expect(message.delivery == .read(by: 1))
                break
            }
        }
    }
}

extension Sequence {
    func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var results: [T] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
