import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("The entries of a conversation's log")
struct LogTests {
    private func malformed(_ entry: (PlayedConversation) throws -> Entry) throws -> PlayedConversation {
        let played = try PlayedConversation()
        let before = try #require(played.conversation.machine.record.view)
        let entry = try entry(played)
        try played.bring([entry])
        #expect(try played.unreadable == [.malformed])
        #expect(played.conversation.machine.record.view == before.after(entry))
        #expect(played.status == .active && played.conversation.machine.record.epoch == 1)
        return played
    }

    private func stopped(
        _ reason: StopReason, at seq: UInt64 = 2, isDirect: Bool = false, _ entry: (PlayedConversation) throws -> Entry
    ) throws {
        let played = try PlayedConversation(isDirect: isDirect)
        try played.bring([entry(played)])
        #expect(played.status == .stopped(seq: seq, reason: reason))
        #expect(played.conversation.machine.record.lastSeq == 1 && played.conversation.machine.record.epoch == 1)
    }

    @Test("have consecutive seqs, in the log's epoch")
    func order() throws {
        let played = try PlayedConversation()
        try played.bring([played.says(.text("one")), played.says(.text("two"))])
        #expect(try played.texts == ["one", "two"] && played.conversation.machine.record.lastSeq == 3)
        for epoch: UInt64 in [0, 2] { try stopped(.brokenLog) { $0.entry([1], epoch: epoch) } }
        try stopped(.brokenLog) {
            _ = $0.entry([1])
            return $0.entry([1])
        }
    }

    @Test("are not read after the turn that removes this device")
    func afterRemoval() throws {
        let played = try PlayedConversation()
        let alice = played.group.ownLeafIndex.rawValue + 1
        let turn = try played.entry(played.commit([.remove(LeafIndex(rawValue: alice))]), kind: .turn)
        try played.bring([turn, played.entry([1])])
        #expect(played.status == .removed(by: "bob"))
        #expect(played.conversation.machine.record.lastSeq == turn.seq)
    }

    @Test("wait behind a turn whose commit has to be fetched")
    func behindReference() throws {
        let played = try PlayedConversation()
        let commit = try played.commit()
        let parcel = parcel(length: commit.count)
        let turn = played.entry(TurnReference(to: parcel, of: commit).encoded, kind: .turn)
        let effects = try played.bring([turn, played.entry([1])])
        #expect(effects.followed == [parcel.channel])
        #expect(played.status == .active && played.conversation.machine.record.lastSeq == 1)
        #expect(played.conversation.machine.sync.awaited?.entry == turn)
        try played.bringParcel(parcel, commit)
        #expect(played.conversation.machine.record.epoch == 2 && played.conversation.machine.record.lastSeq == 2)
    }

    @Test("end with a turn whose parcel has another commit, even a valid one")
    func otherCommit() throws {
        let played = try PlayedConversation()
        let (commit, other) = (try played.commit(), try played.commit())
        let parcel = parcel(length: other.count)
        try played.bring([played.entry(TurnReference(to: parcel, of: commit).encoded, kind: .turn)])
        try played.bringParcel(parcel, other)
        #expect(played.status == .stopped(seq: 2, reason: .brokenLog))
        #expect(played.conversation.machine.record.epoch == 1)
    }

    private func parcel(length: Int) -> ParcelAddress {
        ParcelAddress(
            channel: .random(), readToken: .random(), key: [UInt8](repeating: 1, count: 32), length: UInt32(length))
    }

    @Test("are turns if they are commits, and messages otherwise")
    func kinds() throws {
        try stopped(.invalidCommit) { try $0.says(in: .turn) }
        try stopped(.invalidCommit) { try $0.proposes(.remove($0.group.ownLeafIndex), in: .turn) }
        _ = try malformed { try $0.entry($0.commit()) }
        let played = try PlayedConversation()
        try played.bring([played.entry(played.commit(), kind: .turn)])
        #expect(played.conversation.machine.record.epoch == 2)
    }

    @Test("carry no other authenticated data, and are bound to their own id")
    func content() throws {
        _ = try malformed { try $0.says(authenticatedData: [1]) }
        _ = try malformed { try $0.proposes(.remove($0.group.ownLeafIndex), authenticatedData: [1]) }
        let played = try PlayedConversation()
        try played.bring([played.says(as: .random())])
        #expect(try played.unreadable == [.wrongID] && played.texts.isEmpty)
    }

    @Test("propose only the removal of their sender")
    func proposals() throws {
        for ownIsNamed in [true, false] {
            let played = try PlayedConversation()
            let own = played.group.ownLeafIndex
            let named = ownIsNamed ? own : LeafIndex(rawValue: own.rawValue + 1)
            try played.bring([played.proposes(.remove(named))])
            let pending = try played.conversation.group(in: &played.box.alice.state.device)
                .pendingProposals.map(\.proposal)
            #expect(pending == (ownIsNamed ? [.remove(own)] : []))
            #expect(try played.unreadable.isEmpty == ownIsNamed)
            #expect(played.conversation.machine.record.lastSeq == 2)
        }
    }

    @Test("bring new members into a group, never into a conversation of two, and never another group in its place")
    func changes() throws {
        let carol = try KeyPackageBundle(
            suite: Letterbox.suite, client: Letterbox.person("carol").client,
            lifetime: Lifetime(ofKeyPackageMadeAt: Letterbox.now / 1000)
        ).keyPackage
        let played = try PlayedConversation()
        try played.bring([played.entry(played.commit([.add(carol)]), kind: .turn)])
        #expect(played.conversation.machine.record.epoch == 2 && played.conversation.machine.record.memberCount == 3)
        try stopped(.invalidCommit, isDirect: true) { try $0.entry($0.commit([.add(carol)]), kind: .turn) }
        try stopped(.invalidCommit) {
            let next = ReInit(groupID: ChannelID.random().bytes, cipherSuite: Letterbox.suite)
            return try $0.entry($0.commit([.reInit(next)]), kind: .turn)
        }
    }

    @Test("rename a group, and no conversation of two", arguments: [false, true])
    func titles(isDirect: Bool) throws {
        let played = try PlayedConversation(isDirect: isDirect)
        try played.bring([played.says(.title("another name"))])
        #expect(played.conversation.machine.record.title == (isDirect ? "" : "another name"))
        #expect(played.conversation.machine.record.lastSeq == 2)
    }

    @Test("do not change the summary of the conversation when a member sends again")
    func heardAgain() throws {
        let played = try PlayedConversation()
        #expect(played.conversation.machine.record.hasAnswer)
        let effects = try played.bring([played.says()])
        #expect(!effects.contains { if case .event(.conversation) = $0 { true } else { false } })
    }
}

extension PlayedConversation {
    /// Delivers a parcel that is being fetched.
    func bringParcel(_ address: ParcelAddress, _ bytes: [UInt8]) throws {
        try box.startFollow(of: address.channel, firstSeq: 1, lastSeq: 1, in: effects)
        let part = try #require(address.seal(bytes)?.first)
        let entry = Entry(
            seq: 1, epoch: 0, kind: .message, receivedAtMs: Letterbox.now, id: .random(), payload: part[...])
        try box.bring([entry], of: address.channel, in: effects)
    }
}
