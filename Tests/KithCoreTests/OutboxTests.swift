import KithWire
import Testing

@testable import KithCore

@Suite("Outbox and acknowledgements")
struct OutboxTests {
    private var step = Step()
    private var outbox = Outbox(of: ConversationID(rawValue: 7))

    private func item(_ body: OutboxItem.Body) -> OutboxItem {
        OutboxItem(entryID: .random(), sentAt: 1, body: body)
    }

    /// The items stored by the step: their keys, and whether they are encrypted.
    private var stored: [UInt64: Bool] {
        var stored: [UInt64: Bool] = [:]
        for write in step.output.transaction.writes {
            switch write {
            case .put(let key, let value):
                stored[key.item] = (try? OutboxItem(stored: value))?.attempt != nil
            case .delete(let key): stored[key.item] = nil
            case .deleteAll: break
            }
        }
        return stored
    }

    @Test("every change is stored, and items keep their order")
    mutating func order() {
        let (first, second) = (item(.content(.text("a"))), item(.content(.text("b"))))
        outbox.append(first, as: 3, in: &step)
        outbox.append(second, as: 4, in: &step)
        #expect(outbox.items.map(\.entryID) == [first.entryID, second.entryID])
        outbox.encrypted(second.entryID, as: OutboxItem.Attempt(epoch: 1, payload: [1], expiresAfter: nil), in: &step)
        #expect(stored == [3: false, 4: true])
        #expect(outbox.item(second.entryID)?.attempt?.payload == [1])
        outbox.forgetAttempts(in: &step)
        #expect(stored == [3: false, 4: false] && outbox.item(second.entryID)?.attempt == nil)
        #expect(outbox.remove(first.entryID, in: &step)?.entryID == first.entryID)
        #expect(outbox.remove(first.entryID, in: &step) == nil)
        #expect(stored == [4: false] && outbox.items.map(\.entryID) == [second.entryID])
    }

    @Test("an item that was ever encrypted may be in the log, and so may each item of an earlier version")
    mutating func mayBeInLog() throws {
        var sent = item(.content(.text("a")))
        sent.blobs = [OwnBlob(relay: RelayID(rawValue: 1), blob: .random(), write: .random(), expiresMs: 5)]
        outbox.append(sent, as: 3, in: &step)
        #expect(outbox.items.map(\.mayBeInLog) == [false])
        outbox.encrypted(sent.entryID, as: OutboxItem.Attempt(epoch: 1, payload: [1], expiresAfter: nil), in: &step)
        outbox.forgetAttempts(in: &step)
        let again = try OutboxItem(stored: try #require(outbox.items.first).encoded)
        #expect(again.mayBeInLog && again.blobs == sent.blobs && again.attempt == nil)
        // Version 2 had neither the flag nor the vector of blobs.
        let earlier = try OutboxItem(stored: [2] + item(.leaveProposal).encoded.dropFirst().dropLast(2))
        #expect(earlier.mayBeInLog && earlier.blobs.isEmpty)
    }

    @Test("after leaving, only texts are kept")
    mutating func texts() {
        let text = item(.content(.text("a")))
        for (number, item) in [item(.leaveProposal), text, item(.content(.receipt(readThrough: 3)))].enumerated() {
            outbox.append(item, as: UInt64(number), in: &step)
        }
        outbox.keepTexts(in: &step)
        #expect(outbox.items.map(\.entryID) == [text.entryID] && stored == [1: false])
        #expect(!outbox.contains { $0.body == .leaveProposal })
    }

    @Test("an acknowledged entry that does not come is asked for after a minute and reported after another")
    func missed() {
        var acknowledged = Acknowledgements()
        let (one, two) = (EntryID.random(), EntryID.random())
        acknowledged.add(one, seq: 9, at: 1_000)
        acknowledged.add(two, seq: 8, at: 2_000)
        #expect(acknowledged.due.sorted() == [1_000, 2_000].map { $0 + ClientLimits.keptMs })
        var found = acknowledged.check(at: 1_000 + ClientLimits.keptMs - 1, isLive: true)
        #expect(found.missing.isEmpty && !found.asksAnew)
        found = acknowledged.check(at: 2_000 + ClientLimits.keptMs, isLive: true)
        #expect(found.missing.isEmpty && found.asksAnew)
        // While the log is not followed, nothing is missing.
        found = acknowledged.check(at: 3_000 + 2 * ClientLimits.keptMs, isLive: false)
        #expect(found.missing.isEmpty && !found.asksAnew)
        found = acknowledged.check(at: 4_000 + 3 * ClientLimits.keptMs, isLive: true)
        #expect(found.missing == [8, 9] && !found.asksAnew)
        #expect(!acknowledged.contains(one) && acknowledged.due.isEmpty)
    }

    @Test("the log may reach a place for which two entries were acknowledged")
    func samePlace() {
        var acknowledged = Acknowledgements()
        let (one, two, later) = (EntryID.random(), EntryID.random(), EntryID.random())
        acknowledged.add(one, seq: 9, at: 1)
        acknowledged.add(two, seq: 9, at: 1)
        acknowledged.add(later, seq: 10, at: 1)
        #expect(Set(acknowledged.take(at: 9)) == [one, two])
        #expect(acknowledged.take(at: 9).isEmpty && acknowledged.contains(later))
        acknowledged.removeAll()
        #expect(!acknowledged.contains(later))
    }
}
