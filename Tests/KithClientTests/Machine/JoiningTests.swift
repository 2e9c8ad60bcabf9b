import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Letters that invite to a conversation")
struct JoiningTests {
    @Test("a single-use invite declines up to eight later users visibly, and ignores the others")
    func declined() throws {
        let box = try Letterbox(isReusable: false)
        let letters = try (0...ClientLimits.lettersDeclined + 1).map { number in
            try box.letter(from: Letterbox.person("person \(number)"), isDirect: true, usesLastResort: number > 0)
        }
        try box.bring(letters)
        let conversations = box.alice.state.conversations.ids.compactMap { box.alice.state.conversations[$0]?.machine }
        #expect(conversations.count == 1 + ClientLimits.lettersDeclined)
        #expect(conversations.map(\.isLeaving) == [false] + Array(repeating: true, count: conversations.count - 1))
        #expect(try box.inbox.record.isClosing)
    }

    @Test("of repeated uses of a used invite, only those of declined users are declined")
    func declinedAgain() throws {
        let box = try Letterbox(isReusable: false)
        let (carol, mallory) = (try Letterbox.person("carol"), try Letterbox.person("mallory"))
        try box.bring(
            try [carol, mallory, carol, mallory].enumerated().map { number, writer in
                try box.letter(from: writer, isDirect: true, usesLastResort: number > 0)
            })
        let conversations = box.alice.state.conversations.ids.compactMap { box.alice.state.conversations[$0]?.machine }
        #expect(conversations.map(\.isLeaving) == [false, true, false, true])
    }

    @Test("a stranger's group may have 1,000 members, in a tree that fits them")
    func strangersGroup() {
        let limit = ClientLimits.strangersGroup
        #expect(JoinPolicy.isSmallEnoughForStrangers(members: limit, leaves: 1_024))
        #expect(!JoinPolicy.isSmallEnoughForStrangers(members: limit + 1, leaves: 1_024))
        #expect(!JoinPolicy.isSmallEnoughForStrangers(members: 2, leaves: 1 << 20))
    }

    @Test("a tree that does not match the group is fetched once, and its letter dropped")
    func wrongTree() throws {
        let box = try Letterbox()
        let tree = ParcelAddress(
            channel: .random(), readToken: .random(), key: [UInt8](repeating: 1, count: 32), length: 3_000)
        let fetch = try box.bring([box.letter(from: Letterbox.person("carol"), tree: .parcel(tree))])
        #expect(fetch.followed == [tree.channel])
        try box.startFollow(of: tree.channel, firstSeq: 1, lastSeq: 1, in: fetch)
        let part = try #require(tree.seal([UInt8](repeating: 2, count: 3_000))?.first)
        let entry = Entry(
            seq: 1, epoch: 0, kind: .message, receivedAtMs: Letterbox.now, id: .random(), payload: part[...])
        let after = try box.bring([entry], of: tree.channel, in: fetch)
        #expect(after.followed.isEmpty && box.alice.state.device.parcels.isEmpty)
        #expect(try box.inbox.record.lastSeq == 1 && box.summaries.isEmpty)
    }

    @Test("a log without a turn before the joiner's epoch is suspect, and nothing is stored under number 0")
    func beginsAtFirst() throws {
        let box = try Letterbox()
        try box.bring([box.letter(from: Letterbox.person("carol"), isDirect: true)])
        let id = try #require(try box.summaries.first?.id)
        let conversation = try #require(box.alice.state.conversations[id])
        let accepted = try box.perform(.accept(id))
        try box.startFollow(of: conversation.machine.record.channel, firstSeq: 1, lastSeq: 0, in: accepted)
        #expect(conversation.machine.record.view?.seq == 0 && conversation.machine.record.isSuspect)
        let stored = try box.store.values(
            .entry, owner: id.rawValue, items: 0...StoreKey.highest, limit: 1, newestFirst: false)
        #expect(stored.isEmpty)
    }
}

/// Letters that may revive a known conversation.
@Suite("Rejoining")
struct RejoiningTests {
    private enum Letter: CaseIterable {
        case later, sameEpoch, otherRelay, otherInviter, withAnother
    }

    /// A letterbox with an accepted conversation with carol in epoch 1, and a letter that invites to the same channel.
    private func box(_ kind: Letter) throws -> (box: Letterbox, conversation: ConversationTable.Place, letter: Entry) {
        let box = try Letterbox()
        let (carol, dave) = (try Letterbox.person("carol"), try Letterbox.person("dave"))
        try box.bring([box.letter(from: carol, isDirect: true), box.letter(from: dave, isDirect: true)])
        for summary in try box.summaries { _ = try box.perform(.accept(summary.id)) }
        let conversation = try #require(box.alice.state.conversations[ConversationID(rawValue: 1)])
        var group = try Letterbox.group(
            of: kind == .otherInviter ? dave : carol, on: conversation.machine.record.channel)
        if kind != .sameEpoch { try group.apply(group.commit(in: Letterbox.environment)) }
        if kind == .otherRelay {
            box.groupRelay = RelayPoint(
                address: box.point.address, pin: try #require(RelayPin([UInt8](repeating: 8, count: 32))))
        }
        let letter = try box.letter(into: &group, and: kind == .withAnother ? [dave] : [], isDirect: true)
        return (box, conversation, letter)
    }

    @Test("only the other member can revive an ended conversation, at its relay, in a later epoch")
    func ended() throws {
        for kind in Letter.allCases {
            let (box, open, letter) = try box(kind)
            let conversation = box.alice.replace(open) { $0.record.end(.removed(by: "carol")) }
            try box.bring([letter])
            let isBack = conversation.machine.record.status == .active
            #expect(isBack == (kind == .later), "\(kind)")
            #expect(conversation.machine.record.epoch == (isBack ? 2 : 1), "\(kind)")
        }
    }

    @Test("an active conversation, or one that the user left, is not replaced")
    func working() throws {
        for status in [ConversationStatus.active, .preparing, .left] {
            let (box, open, letter) = try box(.later)
            let conversation = box.alice.replace(open) { $0.record.end(status) }
            try box.bring([letter])
            // The wait for the log is over.
            box.passed += ClientLimits.parcelMs
            let effects = try box.handle([.tick])
            try box.startFollow(in: effects)
            if try effects.followed.contains(box.inbox.record.channel) { try box.bring([letter]) }
            #expect(conversation.machine.record.status == status && conversation.machine.record.epoch == 1, "\(status)")
            #expect(try box.inbox.record.aside.isEmpty)
        }
    }
}
