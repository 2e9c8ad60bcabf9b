import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Letters set aside")
struct AsideTests {
    private static let limit = ClientLimits.pendingConversations

    /// A letterbox with a known contact and the largest number of pending conversations, from letters 2 to 101. Letter 102 is
    /// another stranger's.
    private func fullBox() throws -> (box: Letterbox, friend: ProfileRecord, stranger: ProfileRecord, beyond: Entry) {
        let box = try Letterbox()
        let (friend, stranger) = (try Letterbox.person("dave"), try Letterbox.person("carol"))
        try box.bring([box.letter(from: friend)])
        _ = try box.perform(.accept(try #require(try box.summaries.first?.id)))
        let letters = try (1...Self.limit + 1).map { _ in try box.letter(from: stranger, usesLastResort: true) }
        try box.bring(letters)
        return (box, friend, stranger, try #require(letters.last))
    }

    private func pending(_ box: Letterbox) throws -> Int { try box.summaries.count { $0.isPending } }

    @Test("beyond the limit, strangers' letters stay at the relay, and a known contact's later letter is taken at once")
    func acquaintance() throws {
        let (box, friend, stranger, beyond) = try fullBox()
        #expect(try pending(box) == Self.limit)
        #expect(box.alice.loadedGroups == 1, "groups of pending conversations are in memory")
        let reads = box.store.packageReads.value
        try box.bring([
            box.letter(from: friend, usesLastResort: true), box.letter(from: stranger, usesLastResort: true),
        ])
        #expect(try pending(box) == Self.limit)
        #expect(try box.summaries.count == Self.limit + 2)
        #expect(try box.inbox.record.lastSeq == beyond.seq + 2)
        #expect(try box.inbox.record.aside.map(\.seq) == [beyond.seq, beyond.seq + 2])
        #expect(try box.inbox.record.readThrough == beyond.seq - 1)
        #expect(box.events.count { $0 == .tooManyPending } == 1)
        #expect(box.store.packageReads.value == reads, "the key packages were read for each letter")
    }

    @Test("when there is room again, only the first letter set aside is read again")
    func room() throws {
        let (box, friend, stranger, beyond) = try fullBox()
        try box.bring([box.letter(from: friend, usesLastResort: true)])
        let last = try box.letter(from: stranger, usesLastResort: true)
        try box.bring([last])
        try box.reopen()
        let channel = try box.inbox.record.channel
        #expect(try box.connect().follows(of: channel) == [last.seq + 1])

        let declined = try box.perform(.leave(try #require(try box.summaries.first { $0.isPending }?.id)))
        #expect(declined.follows(of: channel) == [beyond.seq])
        try box.startFollow(in: declined)
        let taken = try box.bring([beyond])
        #expect(try pending(box) == Self.limit)
        #expect(try box.inbox.record.aside.map(\.seq) == [last.seq])
        #expect(taken.follows(of: channel) == [last.seq + 1], "what was read is skipped")
    }

    @Test("no parcel is fetched for a letter without room")
    func parcel() throws {
        let (box, _, stranger, beyond) = try fullBox()
        let address = ParcelAddress(
            channel: .random(), readToken: .random(), key: [UInt8](repeating: 1, count: 32), length: 3_000)
        let effects = try box.bring([box.letter(from: stranger, tree: .parcel(address), usesLastResort: true)])
        #expect(!effects.followed.contains(address.channel))
        #expect(try box.inbox.record.aside.map(\.seq) == [beyond.seq, beyond.seq + 1])
    }

    @Test("letters set aside that are no longer at the relay are forgotten")
    func gone() throws {
        let (box, _, stranger, beyond) = try fullBox()
        let last = try box.letter(from: stranger, usesLastResort: true)
        try box.bring([last])
        let channel = try box.inbox.record.channel
        let declined = try box.perform(.leave(try #require(try box.summaries.first { $0.isPending }?.id)))
        #expect(declined.follows(of: channel) == [beyond.seq])
        let again = try box.refuseFollow(.trimmed, detail: last.seq)
        #expect(try box.inbox.record.aside.map(\.seq) == [last.seq])
        #expect(again.follows(of: channel) == [last.seq])
        // A relay that withholds an entry is not asked for it without end.
        try box.startFollow(in: again)
        try box.bring([box.letter(from: stranger, usesLastResort: true)])
        #expect(try box.inbox.record.aside.isEmpty && pending(box) == Self.limit)
    }

    @Test("the inbox of an expired invite is closed once no letters set aside are at the relay")
    func over() throws {
        let (box, _, _, beyond) = try fullBox()
        box.passed += 11 * 86_400_000
        try box.reopen()
        #expect(try box.connect().follows(of: try box.inbox.record.channel) == [beyond.seq])
        let again = try box.refuseFollow(.trimmed, detail: beyond.seq + 1)
        #expect(try box.inbox.record.aside.isEmpty)
        #expect(!(try box.inbox.record.isClosing))
        try box.startFollow(in: again)
        #expect(try box.inbox.record.isClosing)
    }

    // MARK: Welcomes that wait for a log

    /// A letterbox with a conversation with carol in epoch 1, and a letter of hers that invites to a much later one.
    private func waitingBox() throws -> (box: Letterbox, conversation: ConversationTable.Place, letter: Entry) {
        let box = try Letterbox()
        let carol = try Letterbox.person("carol")
        try box.bring([box.letter(from: carol, isDirect: true)])
        _ = try box.perform(.accept(try #require(try box.summaries.first?.id)))
        let conversation = try #require(box.alice.state.conversations.all.first)
        var group = try Letterbox.group(of: carol, on: conversation.machine.record.channel)
        for _ in 1...4 {
            let commit = try group.commit(in: Letterbox.environment)
            try group.apply(commit)
        }
        return (box, conversation, try box.letter(into: &group, isDirect: true))
    }

    @Test("a Welcome that waits for a log blocks no other letter, and waits a day at most, including restarts")
    func waitsForLog() throws {
        let (box, conversation, letter) = try waitingBox()
        let effects = try box.bring([letter, box.letter(from: Letterbox.person("dave"))])
        #expect(try box.summaries.count == 2)
        #expect(try box.inbox.record.aside.map(\.seq) == [letter.seq])
        #expect(effects.trims.allSatisfy { $0 < letter.seq })

        let channel = try box.inbox.record.channel
        for (hours, from) in [(UInt64(12), letter.seq + 2), (13, letter.seq)] {
            box.passed += hours * 3_600_000
            try box.reopen()
            #expect(try box.connect().follows(of: channel) == [from])
        }
        try box.bring([letter])
        #expect(try box.inbox.record.aside.isEmpty)
        #expect(box.alice.state.conversations[conversation.machine.id]?.machine.record.epoch == 1)
    }

    @Test("a Welcome is read again as soon as the log has the entries it needs")
    func logCame() throws {
        let (box, open, letter) = try waitingBox()
        try box.bring([letter])
        let conversation = box.alice.replace(open) { $0.record.end(.removed(by: "carol")) }
        let effects = try box.handle([.tick])
        #expect(effects.follows(of: try box.inbox.record.channel) == [letter.seq])
        try box.startFollow(in: effects)
        try box.bring([letter])
        #expect(conversation.machine.record.epoch == 5 && conversation.machine.record.status == .active)
        #expect(try box.inbox.record.aside.isEmpty)
    }

    @Test("letters set aside are in the inbox's record")
    func record() throws {
        var record = InboxRecord(
            relay: RelayID(rawValue: 1), purpose: .invite(isReusable: true, expiresAt: 9), random: .system)
        let wait = LogWait(conversation: ConversationID(rawValue: 3), epoch: .max, since: 5_000)
        record.setAside(7, .log(wait))
        record.setAside(4, .room)
        record.setAside(7, .log(wait))
        record.didProcess(8)
        let stored = try InboxRecord(stored: record.encoded)
        #expect(stored.encoded == record.encoded)
        #expect(stored.aside.map(\.seq) == [4, 7] && stored.readThrough == 3)
        #expect(wait.rest(now: 6_000) == ClientLimits.parcelMs - 1_000)
        // The clock was ahead when the wait began.
        record.correctWaits(now: 1_000)
        guard case .log(let corrected)? = record.reasonAside(7) else { throw KithError.wrongAccount }
        #expect(corrected.since == 1_000)
        for seq in 10...UInt64(10 + ClientLimits.lettersAside) { record.setAside(seq, .room) }
        #expect(record.aside.count == ClientLimits.lettersAside)
    }
}
