import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Stated views of the log")
struct StatedViewTests {
    private let played: PlayedConversation
    private let own: LogView

    init() throws {
        played = try PlayedConversation()
        own = try #require(played.conversation.machine.record.view)
    }

    private var alice: ProfileMachine { played.box.alice }
    private var conversation: ConversationTable.Place { played.conversation }
    private var record: ConversationRecord { conversation.machine.record }

    @Test(
        "a device that one commit removed and added again compares what it saw before; after a longer absence it can't")
    func addedAgain() {
        let epoch = record.epoch
        change { $0.record.end(.removed(by: "bob")) }
        let same = LogView(seq: own.seq, hash: [9], previous: own.hash)
        let other = LogView(seq: own.seq, hash: [9], previous: [9])
        #expect(record.difference(fromInviters: same, epoch: epoch + 1) == nil)
        #expect(
            record.difference(fromInviters: other, epoch: epoch + 1)
                == .differentLogs(first: min(record.agreedThrough + 1, own.seq), last: own.seq))
        #expect(record.difference(fromInviters: other, epoch: epoch + 2) == nil)
        change { $0.record.end(.left) }
        #expect(record.difference(fromInviters: other, epoch: epoch + 1) == nil)
    }

    @Test("a claim that a turn leaves open is a difference, unless one was reported already")
    func openClaim() {
        let ahead = LogView(seq: own.seq + 5, hash: [9], previous: own.previous)
        var machine = conversation.machine
        machine.comparison.claim(ahead, of: LeafIndex(rawValue: 0), at: 0)
        #expect(machine.comparison.settleClaims(atTurn: 2, machine.record).count == 1)
        #expect(machine.comparison.settleClaims(atTurn: 2, machine.record).isEmpty)
        machine.comparison.claim(ahead, of: LeafIndex(rawValue: 0), at: 0)
        machine.record.suspect()
        #expect(machine.comparison.settleClaims(atTurn: 2, machine.record).isEmpty)
    }

    @Test("no message is held back while the log can't arrive")
    func notLive() throws {
        let ahead = LogView(seq: own.seq + 5, hash: [9], previous: own.previous)
        var machine = conversation.machine
        machine.comparison.claim(ahead, of: LeafIndex(rawValue: 0), at: 0)
        #expect(alice.state.device.now > ClientLimits.keptMs)
        machine.resetConnection(in: &alice.state.device)
        try machine.checkKept(in: &alice.state.device)
        #expect(machine.comparison.due == [ClientLimits.keptMs])
    }

    @Test("a damaged entry can't be compared, and counts as no difference")
    func damaged() throws {
        try played.bring([played.says()])
        conversation.unload()
        let seq = record.lastSeq
        let theirs = LogView(seq: seq, hash: [9], previous: own.previous)
        #expect(try difference(theirs, before: seq + 1) != nil)
        alice.state.device.damage.note(EntryPlace(conversation: conversation.machine.id, seq: seq))
        #expect(try difference(theirs, before: seq + 1) == nil)
    }

    private func change(_ change: (inout ConversationMachine) -> Void) { alice.replace(conversation, change) }

    private func difference(_ theirs: LogView, before seq: UInt64) throws -> Warning? {
        try conversation.machine.comparison.difference(theirs, before: seq, record, in: &alice.state.device)
    }
}
