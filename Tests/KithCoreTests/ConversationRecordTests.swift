import KithWire
import Testing

@testable import KithCore

@Suite("Conversation record")
struct ConversationRecordTests {
    private var record = ConversationRecord(
        channel: .random(), relay: RelayID(rawValue: 1), title: "team", contact: nil, isDirect: false, isCreated: false,
        epoch: 3, memberCount: 2)

    private func view(_ seq: UInt64, previous: UInt8 = 0) -> LogView {
        LogView(
            seq: seq, hash: [UInt8](repeating: UInt8(seq), count: 32),
            previous: [UInt8](repeating: previous, count: 32))
    }

    @Test("a record with every field set is decoded as it was encoded")
    mutating func stored() throws {
        record.didJoin(view(4), timer: 60)
        _ = record.begin(afterJoining: view(4))
        record.advance(to: view(5))
        record.didReceive()
        record.didShow(at: 99)
        record.readBy.didAdd([ContactID(rawValue: 7)], at: 3)
        record.readBy.didRead(ContactID(rawValue: 7), through: 5)
        record.agree(through: 5)
        record.suspect()
        record.trust()
        record.didRenew(at: 1_000)
        record.enter(4, begin: view(6, previous: 9), memberCount: 3)
        record.note(hasProposals: true)
        record.didSendCard()
        _ = record.intents.add(.leave)
        _ = record.takeOutboxNumber()
        record.listing.isMuted = true
        record.request = ContactRequest(inviter: ContactID(rawValue: 8), firstLines: FirstLines(["hello"]))
        let again = try ConversationRecord(stored: record.encoded)
        #expect(again.encoded == record.encoded)
        #expect(again.readBy == record.readBy && again.listing == record.listing && again.request == record.request)
        #expect(again.trustedEpoch == 3 && again.epoch == 4 && again.memberCount == 3)
        let status = ConversationStatus.replaced(by: "bob", device: "laptop", seq: 9)
        record.end(status)
        #expect(try ConversationRecord(stored: record.encoded).status == status)
    }

    @Test("a turn begins an epoch and keeps the agreement of the epoch before")
    mutating func turn() {
        record.begin(with: view(1))
        record.advance(to: view(2))
        record.agree(through: 2)
        record.agree(through: 1)
        record.enter(4, begin: view(3), memberCount: 5)
        #expect(record.epoch == 4 && record.memberCount == 5 && record.lastSeq == 3)
        #expect(record.epochBegin == view(3) && record.agreedBeforeTurn == 2 && record.agreedThrough == 2)
        #expect(record.entriesSinceRenewal == 2)
        record.didRenew(at: 0)
        #expect(record.renewedAt == 1 && record.entriesSinceRenewal == 0 && record.status == .active)
    }

    @Test("a device that joins counts earlier entries as read and agreed")
    mutating func joined() {
        record.didJoin(view(9), timer: nil)
        #expect(record.begin(afterJoining: view(8)) == view(9))
        #expect(record.invitedView == nil && record.view == view(8))
        #expect(record.readSeq == 8 && record.agreedThrough == 8 && record.agreedBeforeTurn == 8)
        #expect(record.begin(afterJoining: view(8)) == nil)
    }

    @Test("a device that is added again has missed the entries after its last one, and has no intents and no suspicion")
    mutating func rejoined() {
        record.begin(with: view(5))
        record.suspect()
        record.trust()
        record.suspect()
        record.didRenew(at: 5)
        _ = record.intents.add(.renew)
        record.end(.removed(by: "carol"))
        record.rejoin(epoch: 9, memberCount: 4, title: "other")
        #expect(record.takeMissedFrom() == 6 && record.takeMissedFrom() == nil)
        #expect(record.view == nil && record.epochBegin == nil && record.epoch == 9 && record.memberCount == 4)
        #expect(record.renewedAt == 0 && !record.isSuspect && record.trustedEpoch == nil && record.intents.isEmpty)
        #expect(record.title == "other")
    }

    @Test("a pending conversation has missed nothing, and a conversation of two has no title")
    mutating func rejoinedDirect() {
        record.becomeDirect(with: ContactID(rawValue: 3))
        record.rejoin(epoch: 9, memberCount: 2, title: "other")
        #expect(record.takeMissedFrom() == nil && record.title.isEmpty)
        record.separate(as: "bob (old key)")
        #expect(record.contact == nil && record.title == "bob (old key)")
    }

    @Test("the decision to continue counts for the epoch in which logs differed")
    mutating func trust() {
        record.trust()
        #expect(record.trustedEpoch == nil && record.comparesViews)
        record.suspect()
        #expect(!record.comparesViews)
        record.trust()
        #expect(record.trustedEpoch == 3 && !record.comparesViews && record.trustsWhatWasBeforeTurn)
        record.enter(4, begin: view(1), memberCount: 2)
        #expect(record.comparesViews && record.trustsWhatWasBeforeTurn)
        record.enter(5, begin: view(2), memberCount: 2)
        #expect(record.comparesViews && !record.trustsWhatWasBeforeTurn)
    }

    @Test("the number of an intent is never used again")
    mutating func intents() {
        let (first, second) = (record.intents.add(.renew), record.intents.add(.leave))
        #expect([first, second] == [1, 2] && record.isChanging)
        record.intents.remove(first)
        #expect(
            record.intents.intent(first) == nil && record.intents.intent(second)?.change == .leave && !record.isChanging
        )
        #expect(record.intents.add(.add([])) == 3)
        record.intents.keep([], of: 9)
        record.intents.removeAll()
        #expect(record.intents.add(.renew) == 4)
    }

    @Test("a restored device keeps the history, and waits to be added again")
    mutating func restored() {
        record.begin(with: view(5))
        record.activate()
        record.didRead(through: 4, unread: 1)
        record.didRenew(at: 5)
        record.didSendCard()
        _ = record.intents.add(.renew)
        let restored = record.restored
        #expect(restored.status == .stopped(seq: 5, reason: .restored) && restored.view == view(5))
        #expect(restored.epochBegin == nil && restored.intents.isEmpty && restored.renewedAt == 0)
        #expect(!restored.cardIsSent && restored.receiptSeq == 4)
        record.end(.left)
        #expect(record.restored.status == .left)
    }
}
