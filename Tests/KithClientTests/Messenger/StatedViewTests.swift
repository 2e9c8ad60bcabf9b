import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Views of the log that members state")
struct StatedViewTests {
    private let played: PlayedConversation
    private let own: LogView

    init() throws {
        played = try PlayedConversation()
        own = try #require(played.conversation.record.view)
    }

    private var alice: Messenger { played.box.alice }

    @Test(
        "a device that one commit removed and added again compares what it saw before; after a longer absence it can't")
    func addedAgain() {
        let (conversation, epoch) = (played.conversation, played.conversation.record.epoch)
        conversation.record.end(.removed(by: "bob"))
        let same = LogView(seq: own.seq, hash: [9], previous: own.hash)
        let other = LogView(seq: own.seq, hash: [9], previous: [9])
        #expect(alice.compareAgain(same, epoch: epoch + 1, conversation) == nil)
        #expect(
            alice.compareAgain(other, epoch: epoch + 1, conversation)
                == .differentLogs(first: min(conversation.record.agreedThrough + 1, own.seq), last: own.seq))
        #expect(alice.compareAgain(other, epoch: epoch + 2, conversation) == nil)
        conversation.record.end(.left)
        #expect(alice.compareAgain(other, epoch: epoch + 1, conversation) == nil)
    }

    @Test("a claim that a turn leaves open is a difference, unless the user was told of one already")
    func openClaim() {
        let conversation = played.conversation
        let ahead = LogView(seq: own.seq + 5, hash: [9], previous: own.previous)
        conversation.comparison.claim(ahead, of: LeafIndex(rawValue: 0), at: 0)
        #expect(alice.settleClaims(conversation, atTurn: 2).count == 1)
        #expect(alice.settleClaims(conversation, atTurn: 2).isEmpty)
        conversation.comparison.claim(ahead, of: LeafIndex(rawValue: 0), at: 0)
        conversation.record.suspect()
        #expect(alice.settleClaims(conversation, atTurn: 2).isEmpty)
    }

    @Test("while the log can't come, nothing is held back")
    func notLive() {
        let conversation = played.conversation
        let ahead = LogView(seq: own.seq + 5, hash: [9], previous: own.previous)
        conversation.comparison.claim(ahead, of: LeafIndex(rawValue: 0), at: 0)
        #expect(alice.now > ClientLimits.keptMs)
        conversation.hangUp()
        #expect(!alice.checkClaims(conversation))
        #expect(conversation.comparison.due == [ClientLimits.keptMs])
    }

    @Test("a damaged entry can't be compared, and is no difference")
    func damaged() throws {
        let conversation = played.conversation
        try played.bring([played.says()])
        conversation.comparison.unload()
        let seq = conversation.record.lastSeq
        let theirs = LogView(seq: seq, hash: [9], previous: own.previous)
        #expect(try alice.difference(theirs, before: seq + 1, conversation) != nil)
        alice.damagedEntries.insert(EntryPlace(conversation: conversation.id, seq: seq))
        #expect(try alice.difference(theirs, before: seq + 1, conversation) == nil)
    }
}
