import KithWire
import MLS
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Private requests through a group")
struct PrivateRequestTests {
    private func inbox(of person: ProfileRecord, at relay: RelayPoint) -> InboxAddress {
        InboxAddress(
            relay: relay, channel: .random(), appendToken: .random(), sealKey: InboxSealKey(random: .system),
            account: person.account.publicKey.fingerprint)
    }

    /// A message of bob's with a private request.
    ///
    /// - Parameters:
    ///   - recipient: the member who can open it; alice if it is not given.
    ///   - owner: the owner of the inbox in it.
    private func request(
        _ played: PlayedConversation, _ text: String = "hello", to recipient: AccountKey? = nil,
        inboxOf owner: ProfileRecord? = nil
    ) throws -> Entry {
        let account = recipient ?? played.box.alice.identity.accountKey
        let leaf = try #require(played.group.leaves(of: account).first.flatMap { played.group.tree[$0] })
        let id = EntryID.random()
        let request = PrivateRequest(inbox: inbox(of: owner ?? played.bob, at: played.box.point), text: text)
        let sealed = try request.sealed(to: leaf, in: id, of: played.group, random: .system)
        let content = Content(
            messageID: id, sentAt: Letterbox.now, view: try #require(played.conversation.machine.record.view),
            body: .privateRequest(sealed))
        #expect(try Content(decoding: content.encoded) == content)
        let message = try played.group.encrypt(
            try #require(ContentPadding.pad(content.encoded)), in: Letterbox.environment)
        return played.entry(message.encoded, id: id)
    }

    private func bob(_ played: PlayedConversation) throws -> Contact {
        try #require(played.box.alice.contactList.first { $0.name == "bob" })
    }

    @Test("the recipient gets the text with the group, and nothing is shown in the group")
    func received() throws {
        let played = try PlayedConversation()
        let effects = try played.bring([request(played, "hello alice")])
        let contact = try bob(played)
        #expect(contact.groupRequest?.text == "hello alice" && contact.groupRequest?.group == played.id)
        #expect(contact.inbox == nil)
        #expect(!effects.contains { if case .event(.message) = $0 { true } else { false } })
        #expect(try played.box.alice.conversationSummary(played.id).unread == 0)
        // Until a decision, the sender's further requests are dropped.
        try played.bring([request(played, "again")])
        #expect(try bob(played).groupRequest?.text == "hello alice")
        #expect(try Contact(id: contact.id, stored: contact.stored) == contact)

        try played.perform(.decideRequest(of: contact.id, accept: false))
        #expect(try bob(played).groupRequest == nil && bob(played).inbox == nil)
        try played.bring([request(played, "once more")])
        try played.perform(.decideRequest(of: contact.id, accept: true))
        #expect(
            try bob(played).groupRequest == nil
                && bob(played).inbox?.account == played.bob.account.publicKey.fingerprint)
    }

    @Test("a request to another member, with another person's inbox or of a blocked person counts for nothing")
    func refused() throws {
        let carol = try Letterbox.person("carol")
        let played = try PlayedConversation(and: [carol])
        try played.bring([request(played, to: carol.account.publicKey)])
        try played.bring([request(played, inboxOf: carol)])
        #expect(try bob(played).groupRequest == nil)
        try played.perform(.setBlocked(try bob(played).id, true))
        try played.bring([request(played)])
        #expect(try bob(played).groupRequest == nil && played.unreadable == [])
    }

    @Test("private requests and pending conversations share their room, and a decision makes room again")
    func room() throws {
        let played = try PlayedConversation()
        let address = inbox(of: played.bob, at: played.box.point)
        var last: ContactID?
        for number in 0..<ClientLimits.pendingConversations {
            let key = try #require(AccountKey([UInt8(number)] + [UInt8](repeating: 1, count: 31)))
            last = played.box.alice.withDevice { device in
                let id = device.contacts.remember(Acquaintance(accountKey: key, name: "p\(number)"), in: &device.step)
                let request = GroupRequest(group: played.id, text: "x", inbox: address)
                device.contacts.setRequest(request, of: id, in: &device.step)
                return id
            }
        }
        let effects = try played.bring([request(played)])
        #expect(try bob(played).groupRequest == nil)
        #expect(effects.contains { if case .event(.tooManyPending) = $0 { true } else { false } })
        try played.box.bring([played.box.letter(from: Letterbox.person("carol"))])
        #expect(try played.box.inbox.record.aside.count == 1)
        try played.perform(.decideRequest(of: try #require(last), accept: false))
        try played.bring([request(played)])
        #expect(try bob(played).groupRequest?.text == "hello")
    }

    @Test("blocking removes the person's request")
    func blocked() throws {
        let played = try PlayedConversation()
        try played.bring([request(played)])
        try played.perform(.setBlocked(try bob(played).id, true))
        #expect(try bob(played).groupRequest == nil)
    }

    @Test("blocking the recipient drops a request that waits, and the text that would be the first message")
    func blockedRecipient() throws {
        let played = try PlayedConversation()
        let recipient = try bob(played).id
        try played.perform(.sendPrivately("unwanted words", to: recipient))
        #expect(try bob(played).waitingText == "unwanted words")
        #expect(played.box.alice.waitingRequests == 1)
        var dropped: Int?
        for case .finish(_, .success(let answer)) in try played.perform(.setBlocked(recipient, true)) {
            dropped = answer as? Int
        }
        #expect(dropped == 1 && played.box.alice.waitingRequests == 0)
        #expect(try bob(played).waitingText == nil && !played.isStored("unwanted words"))
    }

    @Test("all requests have one size")
    func size() throws {
        let played = try PlayedConversation()
        let lengths = try ["a", String(repeating: "x", count: ClientLimits.firstLines)].map {
            try request(played, $0).payload.count
        }
        #expect(lengths[0] == lengths[1])
    }

    @Test("two members who met in a group talk privately after the request is accepted")
    func conversation() async throws {
        try await withRelay { server in
            let relay = server.point
            let host = try await Person("host", suite: .x25519AES128SHA256Ed25519)
            let ann = try await Person("ann", suite: .x25519AES128SHA256Ed25519)
            let ben = try await Person("ben", suite: .x25519AES128SHA256Ed25519)
            for guest in [ann, ben] {
                let invite = try await host.profile.createInvite(at: relay)
                _ = try await guest.profile.join(invite.invite)
                try await eventually({ await host.profile.contacts() }) { contacts in
                    contacts.contains { $0.name == guest.name && $0.inbox != nil }
                }
            }
            let members = await host.profile.contacts().map(\.id)
            _ = try await host.profile.createGroup("club", at: relay, members: members)
            for guest in [ann, ben] {
                try await eventually({ try await guest.profile.conversations().map(\.name) }) { $0.contains("club") }
            }
            let benAtAnn = try await ann.contact("ben")
            await #expect(throws: KithError.self) { try await ann.profile.startConversation(with: benAtAnn) }
            try await ann.profile.sendPrivately("hello ben", to: benAtAnn)
            await #expect(throws: KithError.notReachable("ben", .asked)) {
                try await ann.profile.sendPrivately("hello again", to: benAtAnn)
            }
            try await eventually({ await ben.profile.contacts() }) { contacts in
                contacts.contains { $0.name == "ann" && $0.groupRequest?.text == "hello ben" }
            }
            #expect(await host.profile.contacts().allSatisfy { $0.groupRequest == nil })
            let id = try await ben.profile.acceptRequest(of: try await ben.contact("ann"))
            try await eventually({ try await ben.texts(id) }) { $0 == ["ann: hello ben"] }
            try await ben.profile.send("hello ann", to: id)
            let atAnn = try await ann.conversation("ben")
            try await eventually({ try await ann.texts(atAnn) }) { $0 == ["ann: hello ben", "ben: hello ann"] }
            for person in [host, ann, ben] { await person.profile.close() }
        }
    }
}
