import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A device's own entries in the log")
struct OwnEntryTests {
    /// A conversation in which alice has renewed her keys, and so may speak.
    private func spoken(isDirect: Bool = false, and others: [ProfileRecord] = []) throws -> PlayedConversation {
        let played = try PlayedConversation(isDirect: isDirect, and: others)
        try played.perform(.renewKeys(played.id))
        try played.bringTurn()
        return played
    }

    @Test("a text is delivered when it comes back unchanged")
    func text() throws {
        let played = try spoken()
        let sent = try #require(try played.send("hello").appends.first)
        try played.bring([played.entry(sent.payload, id: sent.id)])
        #expect(played.conversation.machine.outbox.isEmpty && !played.conversation.machine.record.isSuspect)
        #expect(try played.texts == ["hello"])
    }

    @Test("a text that comes back with other bytes, or as a turn, is not taken for the own one")
    func exchangedText() throws {
        for kind in [EntryKind.message, .turn] {
            let played = try spoken()
            let sent = try #require(try played.send("hello").appends.first)
            let other = try played.says()
            try played.bring([
                Entry(
                    seq: other.seq, epoch: 2, kind: kind, receivedAtMs: 0, id: sent.id,
                    payload: kind == .turn ? sent.payload[...] : other.payload)
            ])
            #expect(played.conversation.machine.record.isSuspect)
            #expect(played.conversation.machine.outbox.items.map(\.entryID) == [sent.id])
            #expect(
                played.status == (kind == .turn ? .stopped(seq: other.seq, reason: .invalidCommit) : .active))
        }
    }

    @Test("a commit that comes back with other bytes, or as a message, ends the conversation")
    func exchangedTurn() throws {
        for kind in [EntryKind.message, .turn] {
            let played = try PlayedConversation()
            let turn = try #require(try played.perform(.renewKeys(played.id)).turns.first)
            let other = try played.commit()
            try played.bring([played.entry(kind == .turn ? other : turn.payload, kind: kind, id: turn.id)])
            #expect(played.status == .stopped(seq: 2, reason: .brokenLog))
            #expect(played.conversation.machine.record.isSuspect && played.conversation.machine.record.epoch == 1)
        }
    }

    @Test("nothing is sent before the whole log is here")
    func notLive() throws {
        let played = try PlayedConversation(isLive: false)
        let early = try played.send("hello")
        #expect(early.turns.isEmpty && early.appends.isEmpty)
        #expect(try played.startFollow().turns.count == 1)
    }

    @Test("nothing is sent before the time that a relay asked for has passed")
    func pause() throws {
        let played = try PlayedConversation()
        let turn = try #require(try played.send("hello").turns.first)
        try played.answer(turn.tag, .failure(RelayError(.tooFast, "slowly", retryAfterMs: 5_000)))
        #expect(try played.wait(milliseconds: 4_999).turns.isEmpty)
        #expect(try played.send("again").turns.isEmpty)
        #expect(try played.wait(milliseconds: 1).turns.map(\.id) == [turn.id])
    }

    @Test("a text is sent even if the group was not in memory")
    func unloaded() throws {
        let played = try spoken()
        played.conversation.unload()
        try played.wait(milliseconds: 1)
        #expect(!played.conversation.machine.keptGroup.isLoaded, "nothing is to be done")
        #expect(try played.send("hello").appends.count == 1)
        let other = try spoken()
        other.conversation.unload()
        #expect(try other.perform(.renewKeys(other.id)).turns.count == 1)
    }

    @Test("a proposal is committed within two seconds of its arrival")
    func othersProposal() throws {
        let played = try PlayedConversation()
        let now = try played.bring([played.proposes(.remove(played.group.ownLeafIndex))])
        #expect(now.turns.isEmpty)
        #expect(try played.wait(milliseconds: 2_000).turns.count == 1)
    }

    @Test("a commit waits for the answers to the texts before it")
    func inFlight() throws {
        let played = try spoken()
        let sent = try #require(try played.send("hello").appends.first)
        #expect(try played.perform(.renewKeys(played.id)).turns.isEmpty)
        #expect(try played.answer(sent.tag, .success(.accepted(seq: 3))).turns.count == 1)
    }

    @Test("an answer after the end of the conversation changes nothing")
    func lateAnswer() throws {
        let played = try PlayedConversation()
        let turn = try #require(try played.perform(.renewKeys(played.id)).turns.first)
        try played.bring([played.entry([1], epoch: 9)])
        #expect(played.status == .stopped(seq: 2, reason: .brokenLog))
        try played.answer(turn.tag, .success(.accepted(seq: 2)))
        #expect(!played.conversation.machine.acknowledged.contains(turn.id))
        var machine = played.conversation.machine
        let loaded = try machine.group(in: &played.box.alice.state.device)
        let pending = try #require(loaded.pending)
        #expect(pending.entryID == turn.id)
        // The same for a commit that lies beside the log.
        let parcel = ParcelAddress(
            channel: .random(), readToken: .random(), key: [UInt8](repeating: 1, count: 32), length: 10)
        let other = PendingTurn(
            entryID: turn.id, commit: pending.commit, intent: pending.intent, recipients: [], hasTreeInWelcome: false,
            parcel: TurnReference(to: parcel, of: [1]))
        loaded.stage(other, of: played.id, in: &played.box.alice.state.device.step)
        try machine.didDeliverParcel(parcel.channel, .closed, in: &played.box.alice.state.device)
        #expect(loaded.pending?.entryID == turn.id)
    }

    @Test("read receipts report the last text that others have read, and never move back")
    func receipts() throws {
        let played = try spoken()
        let sent = try #require(try played.send("mine").appends.first)
        try played.bring([played.entry(sent.payload, id: sent.id), played.says(.text("bob's"))])
        let contact = try #require(played.box.alice.contactList.first).id
        let told = try played.bring([played.says(.receipt(readThrough: 4))])
        #expect(told.texts == ["mine"])
        #expect(played.conversation.machine.record.readBy[contact] == 4)
        let again = try played.bring([played.says(.receipt(readThrough: 3))])
        #expect(again.texts.isEmpty)
        #expect(played.conversation.machine.record.readBy[contact] == 4)
    }

    @Test("leaving is proposed once in each epoch until it is committed")
    func leaving() throws {
        let played = try PlayedConversation()
        let proposal = try #require(try played.perform(.leave(played.id)).appends.first)
        #expect(played.conversation.machine.outbox.items.map(\.body) == [.leaveProposal])
        try played.bring([played.entry(proposal.payload, id: proposal.id)])
        #expect(played.conversation.machine.outbox.isEmpty && played.conversation.machine.isLeaving)
    }

    @Test("a proposal to leave that waits behind texts is not made again")
    func leavingLater() throws {
        let played = try spoken()
        for number in 1...ClientLimits.messagesInFlight { try played.send("\(number)") }
        #expect(try played.perform(.leave(played.id)).appends.isEmpty)
        try played.wait(milliseconds: 1)
        #expect(played.conversation.machine.outbox.items.count { $0.body == .leaveProposal } == 1)
    }

    @Test("a member who is alone leaves by closing the channel")
    func leavingAlone() throws {
        let box = try Letterbox()
        let created = try box.perform(.createGroup(title: "alone", box.point, []))
        let conversation = try #require(box.alice.state.conversations.all.first)
        let channel = conversation.machine.record.channel
        try box.startFollow(of: channel, firstSeq: 1, lastSeq: 0, in: created)
        let closed = try box.perform(.leave(conversation.machine.id)).compactMap {
            if case .request(_, _, .close(let channel)) = $0 { channel } else { nil }
        }
        #expect(closed == [channel] && conversation.machine.record.status == .left)
    }
}

extension [Effect] {
    /// The texts in events.
    fileprivate var texts: [String] {
        compactMap {
            guard case .event(.message(let message)) = $0, case .text(let text) = message.body else { return nil }
            return text
        }
    }
}
