import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Conversations over a real relay")
struct ConversationTests {
    @Test("two people meet by an invite, and read each other's messages in order")
    func invite() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let atBob = try await bob.conversation("alice")
            let atAlice = try await alice.conversation("bob")
            _ = try await bob.profile.send("hello alice", to: atBob)
            _ = try await bob.profile.send("are you there? 🙂", to: atBob)
            try await eventually({ try await alice.texts(atAlice) }) {
                $0 == ["bob: hello alice", "bob: are you there? 🙂"]
            }
            _ = try await alice.profile.send("yes", to: atAlice)
            try await eventually({ try await bob.texts(atBob) }) {
                $0 == ["bob: hello alice", "bob: are you there? 🙂", "alice: yes"]
            }
            try await eventually({ try await alice.texts(atAlice) }) { $0.last == "alice: yes" && $0.count == 3 }
        }
    }

    @Test("the user of an invite has its maker's key from it, and the maker knows that the invite was used")
    func trust() async throws {
        try await withAliceAndBob { alice, bob, _ in
            #expect(await bob.profile.contacts().map(\.trust) == [.invite])
            #expect(await alice.profile.contacts().map(\.trust) == [.usedMyInvite])
        }
    }

    @Test("a member who is left alone is told, and can begin another conversation with the one who left")
    func leftAlone() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let atBob = try await bob.conversation("alice")
            let atAlice = try await alice.conversation("bob")
            _ = try await bob.profile.send("goodbye", to: atBob)
            try await eventually({ try await alice.texts(atAlice) }) { $0 == ["bob: goodbye"] }
            try await bob.profile.leave(atBob)
            try await eventually({ try await alice.profile.conversation(atAlice).memberCount }) { $0 == 1 }
            await #expect(throws: KithError.membership(.leftAlone)) {
                try await alice.profile.send("wait", to: atAlice)
            }
            #expect(await alice.profile.queuedMessages() == 0)
            let another = try await alice.profile.startConversation(with: alice.contact("bob"))
            #expect(another != atAlice)
            _ = try await alice.profile.send("one more thing", to: another)
            try await eventually({ try await bob.profile.conversations().count { $0.status == .active } }) { $0 == 1 }
            let there = try #require(try await bob.profile.conversations().first { $0.status == .active }).id
            try await eventually({ try await bob.texts(there) }) { $0 == ["alice: one more thing"] }
        }
    }

    @Test(
        "the loser of a race for an invite gets another conversation with a fresh invite, before or after reading the refusal",
        arguments: [true, false])
    func freshInvite(afterRefusal: Bool) async throws {
        try await withRelay { server in
            let relay = server.point
            let (bob, carol) = (try await Person("bob"), try await Person("carol"))
            var alice = try await Person("alice")
            let invite = try await alice.profile.createInvite(at: relay).invite
            await alice.profile.close()
            // Alice's device takes both letters later, so both find key packages.
            _ = try await bob.profile.join(invite)
            let old = try await carol.profile.join(invite)
            var loser = carol
            if !afterRefusal { await loser.profile.close() }
            alice = try await Person("alice", store: alice.store)
            try await eventually({ try await alice.profile.conversations().map(\.name) }) {
                $0.sorted() == ["bob", "carol"]
            }
            if afterRefusal {
                try await eventually({ try await loser.profile.conversation(old).memberCount }) { $0 == 1 }
            } else {
                loser = try await Person("carol", store: carol.store)
            }
            let new = try await loser.profile.join(try await alice.profile.createInvite(at: relay).invite)
            #expect(new != old)
            _ = try await loser.profile.send("here I am", to: new)
            try await eventually({
                var texts: [String] = []
                for conversation in try await alice.profile.conversations() {
                    texts += try await alice.texts(conversation.id)
                }
                return texts
            }) { $0 == ["carol: here I am"] }
            // The old conversation ends there in both cases.
            try await eventually({ try await loser.profile.conversation(old).memberCount }) { $0 == 1 }
            for person in [alice, bob, loser] { await person.profile.close() }
        }
    }

    @Test("a single-use invite works once")
    func onlyOnce() async throws {
        try await withRelay { server in
            let relay = server.point
            let (alice, bob, carol) = (try await Person("alice"), try await Person("bob"), try await Person("carol"))
            let invite = try await alice.profile.createInvite(at: relay).invite
            _ = try await bob.profile.join(invite)
            try await eventually({ await alice.profile.openInvites() }) { $0.isEmpty }
            await #expect(throws: KithError.inviteUsed) { try await carol.profile.join(invite) }
            #expect(try await carol.profile.conversations().isEmpty)
            for person in [alice, bob, carol] { await person.profile.close() }
        }
    }

    @Test("messages that were sent while a member was offline arrive when it is back")
    func away() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let atBob = try await bob.conversation("alice")
            let atAlice = try await alice.conversation("bob")
            _ = try await bob.profile.send("first", to: atBob)
            try await eventually({ try await alice.texts(atAlice) }) { $0 == ["bob: first"] }
            await alice.profile.close()
            for number in 1...20 { _ = try await bob.profile.send("message \(number)", to: atBob) }
            let expected = ["bob: first"] + (1...20).map { "bob: message \($0)" }
            try await eventually({ try await bob.profile.history(of: atBob).map(\.delivery) }) { !$0.contains(.queued) }
            let back = try await Person("alice", store: alice.store)
            try await eventually({ try await back.texts(atAlice) }) { $0 == expected }
            await back.profile.close()
        }
    }

    @Test("a group of three: added, heard, removed")
    func group() async throws {
        try await withAliceAndBob { alice, bob, relay in
            let carol = try await Person("carol")
            let invite = try await alice.profile.createInvite(at: relay).invite
            _ = try await carol.profile.join(invite)
            try await eventually({ await alice.profile.contacts().filter { $0.inbox != nil }.count }) { $0 == 2 }
            let members = [try await alice.contact("bob"), try await alice.contact("carol")]
            let group = try await alice.profile.createGroup("plans", at: relay, members: members)
            _ = try await alice.profile.send("welcome", to: group)
            for person in [bob, carol] {
                try await eventually({ try await person.profile.conversations().map(\.name) }) { $0.contains("plans") }
                let id = try await person.conversation("plans")
                try await eventually({ try await person.texts(id) }) { $0 == ["alice: welcome"] }
            }
            let atBob = try await bob.conversation("plans")
            let atCarol = try await carol.conversation("plans")
            _ = try await carol.profile.send("hi from carol", to: atCarol)
            try await eventually({ try await bob.texts(atBob) }) { $0 == ["alice: welcome", "carol: hi from carol"] }

            try await alice.profile.remove(members[1], from: group)
            try await eventually({ try await carol.profile.conversation(atCarol).status }) {
                $0 == .removed(by: "alice")
            }
            _ = try await alice.profile.send("carol is gone", to: group)
            try await eventually({ try await bob.texts(atBob) }) { $0.last == "alice: carol is gone" }
            #expect(try await carol.texts(atCarol) == ["alice: welcome", "carol: hi from carol"])
            // The secrets of the group are gone, and what was seen of it is not.
            let later = try await carol.reopened()
            #expect(try await later.profile.conversation(atCarol).status == .removed(by: "alice"))
            #expect(try await later.profile.members(of: atCarol).count == 3)
            await later.profile.close()
        }
    }

    @Test("adding a third person to a conversation of two fails")
    func thirdPerson() async throws {
        try await withAliceAndBob { alice, bob, relay in
            let carol = try await Person("carol")
            _ = try await carol.profile.join(try await bob.profile.createInvite(at: relay).invite)
            try await eventually({ await bob.profile.contacts().filter { $0.inbox != nil }.count }) { $0 == 2 }
            let (atAlice, atBob) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            _ = try await alice.profile.send("between us", to: atAlice)
            try await eventually({ try await bob.texts(atBob) }) { $0 == ["alice: between us"] }
            // Bob's program does not know that it is a conversation of two.
            await bob.profile.close()
            let key = StoreKey(.conversation, item: atBob.rawValue)
            var stored = try #require(try bob.store.value(key))
            // Behind version, channel, relay, an empty title and the contact.
            let place = 1 + 32 + 8 + 1 + 9
            #expect(try stored[place] == 1 && ConversationRecord(stored: stored).isDirect)
            stored[place] = 0
            #expect(try !ConversationRecord(stored: stored).isDirect)
            var change = StoreTransaction()
            change.put(key, stored)
            try bob.store.commit(change)
            let changed = try await Person("bob", store: bob.store)
            try await changed.profile.add([try await changed.contact("carol")], to: atBob)
            try await eventually({ try await alice.profile.conversation(atAlice).status }) {
                if case .stopped(_, .invalidCommit) = $0 { true } else { false }
            }
            await #expect(throws: KithError.self) { try await alice.profile.send("who is there?", to: atAlice) }
            for person in [changed, carol] { await person.profile.close() }
        }
    }

    @Test("a member that leaves is removed by the others")
    func leaving() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let atBob = try await bob.conversation("alice")
            let atAlice = try await alice.conversation("bob")
            try await bob.profile.leave(atBob)
            #expect(try await bob.profile.conversation(atBob).status == .left)
            try await eventually({ try await alice.profile.members(of: atAlice).map(\.name) }) { $0 == ["alice"] }
        }
    }

    @Test("a name leads to its one holder, as an unverified contact")
    func names() async throws {
        try await withRelay { server in
            let relay = server.point
            let (alice, bob) = (try await Person("alice"), try await Person("bob"))
            let name = try #require(Name("alice"))
            try await alice.profile.register(name, at: relay)
            await #expect(throws: KithError.nameHeld) { try await bob.profile.register(name, at: relay) }
            let contact = try await bob.profile.lookUp(name, at: relay)
            let conversation = try await bob.profile.startConversation(with: contact)
            _ = try await bob.profile.send("found you", to: conversation)
            try await eventually({ try await alice.profile.conversations().map(\.name) }) { $0 == ["bob"] }
            let atAlice = try await alice.conversation("bob")
            #expect(try await alice.profile.conversation(atAlice).isPending)
            try await alice.profile.accept(atAlice)
            try await eventually({ try await alice.texts(atAlice) }) { $0 == ["bob: found you"] }
            #expect(await bob.profile.contacts().map(\.trust) == [.unverified])
            #expect(await alice.profile.contacts().map(\.trust) == [.unverified])
            for person in [alice, bob] { await person.profile.close() }
        }
    }

    @Test("a name connects to no relay that a stranger chose; a contact may choose one")
    func relaysOfStrangers() async throws {
        try await withAliceAndBob { alice, bob, relay in
            try await withRelay { otherRelay in
                let other = otherRelay.point
                let mallory = try await Person("mallory")
                let name = try #require(Name("alice"))
                try await alice.profile.register(name, at: relay)
                let found = try await mallory.profile.lookUp(name, at: relay)
                let events = await alice.profile.events()
                _ = try await mallory.profile.createGroup("come here", at: other, members: [found])
                for await event in events {
                    guard case .invitationPassedOver(let passedOver) = event else { continue }
                    #expect(passedOver == otherRelay.address)
                    break
                }
                // The name's address takes the place of the one that came with the first conversation.
                let known = try await bob.profile.lookUp(name, at: relay)
                _ = try await bob.profile.createGroup("plans", at: other, members: [known])
                try await eventually({ try await alice.profile.conversations().map(\.name).sorted() }) {
                    $0.contains("plans")
                }
                #expect(try await alice.profile.conversations().map(\.name).sorted() == ["bob", "plans"])
                await mallory.profile.close()
            }
        }
    }

    @Test("a live check shows who is online")
    func presence() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let atAlice = try await alice.conversation("bob")
            _ = try await alice.profile.send("x", to: atAlice)
            let atBob = try await bob.conversation("alice")
            try await eventually({ try await bob.texts(atBob) }) { $0 == ["alice: x"] }
            let events = await alice.profile.events()
            try await alice.profile.checkPresence(in: atAlice)
            for await event in events {
                if case .memberIsOnline(let conversation, _, let name, let log) = event {
                    #expect(conversation == atAlice && name == "bob" && log != .differs)
                    break
                }
            }
        }
    }

    @Test("both sides compute the same safety number")
    func safetyNumbers() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let atAlice = try await alice.profile.safetyNumber(with: try await alice.contact("bob"))
            let atBob = try await bob.profile.safetyNumber(with: try await bob.contact("alice"))
            #expect(atAlice == atBob)
            #expect(atAlice.digits.count == 60 && atAlice.groups.count == 12)
        }
    }
}
