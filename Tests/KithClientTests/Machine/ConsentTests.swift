import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Consent")
struct ConsentTests {
    @Test(
        "a stranger's letter is taken without sending anything; accepting follows the log, sends the card and replaces the key package"
    )
    func pending() throws {
        let box = try Letterbox()
        let carol = try Letterbox.person("carol")
        let effects = try box.bring([box.letter(from: carol, isDirect: true)])
        let summary = try #require(try box.summaries.first)
        #expect(summary.isPending && summary.name == "carol" && summary.isDirect)
        let conversation = try #require(box.alice.state.conversations[summary.id])
        let channel = conversation.machine.record.channel
        #expect(effects.requests(about: channel) == 0 && effects.deposits == 0)
        #expect(conversation.machine.outbox.isEmpty && box.alice.inboxes.ids.count == 1)
        #expect(box.alice.loadedGroups == 0)
        #expect(box.alice.contactList.map(\.isStranger) == [true])

        let accepted = try box.perform(.accept(summary.id))
        #expect(accepted.requests(about: channel) == 2 && accepted.followed.contains(channel))
        #expect(accepted.deposits == 2, "one more package for the invite, and those of the contact's own inbox")
        #expect(conversation.machine.outbox.items.map(\.isCard) == [true])
        #expect(try box.summaries.first?.isPending == false)
        #expect(box.alice.contactList.map(\.isStranger) == [false])
    }

    @Test("a pending conversation is not opened at a start")
    func restart() throws {
        let box = try Letterbox()
        try box.bring([box.letter(from: Letterbox.person("carol"))])
        let channel = try #require(box.alice.state.conversations.all.first?.machine.record.channel)
        try box.reopen()
        let effects = try box.connect()
        #expect(effects.requests(about: channel) == 0)
        #expect(box.alice.loadedGroups == 0)
        #expect(try box.summaries.map(\.isPending) == [true])
        // Reading and receipts are no consent.
        let id = try #require(try box.summaries.first?.id)
        #expect(try box.perform(.markRead(id, through: 9, sendsReceipt: true)).requests(about: channel) == 0)
        #expect(try box.summaries.map(\.isPending) == [true])
    }

    @Test("sending accepts, and leaving declines without sending anything")
    func commands() throws {
        let box = try Letterbox()
        try box.bring([
            box.letter(from: Letterbox.person("carol"), isDirect: true), box.letter(from: Letterbox.person("dave")),
        ])
        let carol = try #require(try box.summaries.first { $0.name == "carol" })
        let dave = try #require(try box.summaries.first { $0.name == "a group" })
        _ = try box.perform(.send(carol.id, text: "hello", replyTo: nil, expiresAfter: nil))
        #expect(try box.alice.conversationSummary(carol.id).isPending == false)
        let channel = try #require(box.alice.state.conversations[dave.id]?.machine.record.channel)
        #expect(try box.perform(.leave(dave.id)).requests(about: channel) == 0)
        #expect(try box.alice.conversationSummary(dave.id).status == .left)
        #expect(try box.perform(.accept(dave.id)).requests(about: channel) == 0)
    }

    @Test("a person known only from pending conversations stays a stranger; an accepted one does not")
    func strangers() throws {
        let box = try Letterbox()
        let carol = try Letterbox.person("carol")
        try box.bring([box.letter(from: carol), box.letter(from: carol)])
        #expect(try box.summaries.map(\.isPending) == [true, true])
        _ = try box.perform(.accept(try #require(try box.summaries.first?.id)))
        try box.bring([box.letter(from: carol)])
        #expect(try box.summaries.count { $0.isPending } == 1)
        #expect(try box.summaries.count == 3)
    }

    @Test("of a stranger's group, only the inviter becomes a contact before it is accepted")
    func membersOfGroup() throws {
        let box = try Letterbox()
        let others = try (1...5).map { try Letterbox.person("person \($0)") }
        try box.bring([box.letter(from: Letterbox.person("carol"), and: others)])
        #expect(box.alice.contactList.map(\.name) == ["carol"])
        _ = try box.perform(.accept(try #require(try box.summaries.first?.id)))
        #expect(box.alice.contactList.count == 6)
    }

    @Test("an invite for one person is consent")
    func invited() throws {
        let box = try Letterbox(isReusable: false)
        let effects = try box.bring([box.letter(from: Letterbox.person("carol"), isDirect: true)])
        #expect(try box.summaries.map(\.isPending) == [false])
        #expect(
            effects.requests(about: try #require(box.alice.state.conversations.all.first?.machine.record.channel)) == 2)
    }

    @Test("a parcel above the limit for strangers is not fetched", arguments: [3 << 20, 5 << 20])
    func parcel(length: Int) throws {
        let box = try Letterbox()
        let address = Self.parcel(length: length)
        let effects = try box.bring([box.letter(from: Letterbox.person("carol"), tree: .parcel(address))])
        #expect(effects.followed.contains(address.channel) == (length <= ClientLimits.strangersParcel))
    }

    @Test("a stranger's parcel is fetched from the inbox's own relay only, so no other relay learns of the device")
    func parcelElsewhere() throws {
        let box = try Letterbox()
        let other = RelayPoint(
            address: try #require(RelayAddress("127.0.0.1:4434")),
            pin: try #require(RelayPin([UInt8](repeating: 8, count: 32))))
        _ = box.alice.withDevice { $0.relays.id(for: other, in: &$0.step) }
        try box.handle([.tick])
        try box.reopen()
        try box.connect()
        box.groupRelay = other
        let effects = try box.bring([
            box.letter(from: Letterbox.person("carol"), tree: .parcel(Self.parcel(length: 3_000)))
        ])
        #expect(!effects.contains { if case .connect = $0 { true } else { false } })
        #expect(box.alice.state.device.parcels.isEmpty)
        #expect(box.events.last == .invitationPassedOver(other.address))
        #expect(try box.inbox.record.lastSeq == 1 && box.inbox.record.aside.isEmpty)
    }

    private static func parcel(length: Int) -> ParcelAddress {
        ParcelAddress(
            channel: .random(), readToken: .random(), key: [UInt8](repeating: 1, count: 32), length: UInt32(length))
    }

    @Test("records of the previous version are read: conversations are accepted, contacts known")
    func versions() throws {
        let box = try Letterbox()
        try box.bring([box.letter(from: Letterbox.person("carol"))])
        let record = try #require(box.alice.state.conversations.all.first?.machine.record)
        #expect(try ConversationRecord(stored: record.encoded).consent == .pending)
        let third = try ConversationRecord(stored: record.encodedAsVersion3)
        #expect(third.request == nil && third.consent == .pending && third.timer == nil && third.pins.seqs.isEmpty)
        // Version 2 had no previous views, and version 1 no consent.
        let bytes = record.encodedAsVersion2
        let second = try ConversationRecord(stored: bytes)
        #expect(second.consent == .pending && second.channel == record.channel && second.view == nil)
        let old = try ConversationRecord(stored: [1] + bytes.dropFirst().dropLast(3))
        #expect(old.consent == .given && old.hasAnswer && old.hasProposals)
        #expect(throws: (any Error).self) { try ConversationRecord(stored: [9] + record.encoded.dropFirst()) }
        let contact = try #require(box.alice.contactList.first)
        #expect(try Contact(id: contact.id, stored: contact.stored) == contact)
        // Version 4 added the list of replaced devices, which is empty here, and versions 3 and 2 a flag each.
        let before = try Contact(id: contact.id, stored: [3] + contact.stored.dropFirst().dropLast(4))
        #expect(before == contact)
        let known = try Contact(id: contact.id, stored: [1] + contact.stored.dropFirst().dropLast(6))
        #expect(!known.isStranger && known.accountKey == contact.accountKey)
    }

    @Test("the number of a closed invite is not used again, also after a restart")
    func numbers() throws {
        let box = try Letterbox()
        let effects = try box.perform(.revokeInvite(InboxID(rawValue: 1)))
        var isFinished = false
        for case .request(let relay, let tag, .close) in effects {
            for case .finish(CommandID(rawValue: 99), .success) in effects { Issue.record("done before the relay") }
            for case .finish(CommandID(rawValue: 99), .success) in try box.handle([
                .answered(relay, tag: tag, .success(.done))
            ]) { isFinished = true }
        }
        #expect(isFinished)
        #expect(box.alice.inboxes.ids.isEmpty)
        try box.reopen()
        let invite = Command.createInvite(
            relay: box.point, isReusable: false, expiresAt: Letterbox.now / 1000 + 60)
        _ = try box.perform(invite)
        #expect(box.alice.inboxes.ids.map(\.rawValue) == [2])
    }
}

extension ConversationRecord {
    /// A record of a conversation whose log was not begun, as version 2 wrote it: without what version 3 has at its end.
    fileprivate var encodedAsVersion2: [UInt8] {
        let added = (invitedView == nil ? 1 : 1 + 72) + 8 + 8 + (trustedEpoch == nil ? 1 : 9)
        return [2] + encodedAsVersion3.dropFirst().dropLast(added)
    }

    /// A record without timer, pins, listing and request, as version 3 wrote it.
    fileprivate var encodedAsVersion3: [UInt8] {
        [3] + encoded.dropFirst().dropLast(2 + 2 + 1 + (request?.encoded.count ?? 0))
    }
}
