import KithWire
import Testing

@testable import KithCore

@Suite("Connection of an inbox")
struct InboxConnectionTests {
    private var connection = InboxConnection()
    private var record = InboxRecord(
        relay: RelayID(rawValue: 1), purpose: .contact(ContactID(rawValue: 1)), random: .system)

    private func entry(_ seq: UInt64, bytes: Int = 1) -> Entry {
        Entry(
            seq: seq, epoch: 0, kind: .message, receivedAtMs: 0, id: .random(),
            payload: [UInt8](repeating: 0, count: bytes)[...])
    }

    private mutating func receive(_ seqs: ClosedRange<UInt64>) {
        connection.receive(seqs.map { entry($0) }, of: &record)
    }

    /// Reads the letters that wait, and returns their seqs.
    private mutating func read() -> [UInt64] {
        var seqs: [UInt64] = []
        while let first = connection.first {
            seqs.append(first.seq)
            record.didProcess(first.seq)
            connection.didReadFirst()
        }
        return seqs
    }

    @Test("letters wait in order, each once")
    mutating func order() {
        receive(1...2)
        #expect(connection.waiting == 0, "no follow has begun")
        connection.beginFollow(7, from: 1)
        receive(1...2)
        receive(2...3)
        #expect(connection.followTag == 7 && connection.waiting == 3)
        #expect(!connection.hasBrought(through: 3), "letters wait")
        let seqs = read()
        #expect(seqs == [1, 2, 3] && connection.hasBrought(through: 3) && !connection.hasBrought(through: 4))
    }

    @Test("an inbox is read once everything that the relay had at the beginning was processed")
    mutating func isRead() {
        connection.beginFollow(7, from: 1)
        #expect(!connection.isRead(through: 0), "the relay has not stated its last entry")
        connection.didStartFollow(lastSeq: 2)
        receive(1...1)
        _ = read()
        #expect(!connection.isRead(through: record.lastSeq))
        receive(2...2)
        #expect(!connection.isRead(through: 2), "a letter waits")
        _ = read()
        #expect(connection.isRead(through: record.lastSeq))
        connection.endFollow()
        #expect(!connection.isRead(through: record.lastSeq))
    }

    @Test("a second reading brings only letters that were set aside, and forgets those that are gone")
    mutating func secondReading() {
        connection.beginFollow(7, from: 1)
        receive(1...5)
        _ = read()
        for seq in [2, 3, 5] as [UInt64] { record.setAside(seq, .room) }
        connection.endFollow()
        connection.beginFollow(8, from: 2)
        #expect(connection.isReadingAgain(through: record.lastSeq))
        connection.receive([entry(2), entry(4), entry(5)], of: &record)
        #expect(read() == [2, 5] && record.aside.map(\.seq) == [2, 5])
        #expect(!connection.isReadingAgain(through: record.lastSeq))
    }

    @Test("reading is paused if too much waits behind a letter, and only that letter stays")
    mutating func pause() {
        connection.beginFollow(7, from: 1)
        connection.didStartFollow(lastSeq: 2)
        connection.receive([entry(1, bytes: ClientLimits.inboxQueue + 1)], of: &record)
        #expect(connection.pauseIfFull() == false, "nothing waits behind it")
        connection.receive([entry(2)], of: &record)
        #expect(connection.pauseIfFull() == true)
        connection.endFollow()
        #expect(connection.waiting == 1 && connection.first?.seq == 1)
        #expect(read() == [1])
        connection.beginFollow(8, from: 2)
        connection.didStartFollow(lastSeq: 1)
        #expect(!connection.isRead(through: 1), "reading is paused")
        #expect(connection.resume() == true)
        #expect(connection.resume() == false && connection.isRead(through: 1))
    }

    @Test("a deposit is under way until it ends, and tells whether it was a refill")
    mutating func deposits() {
        #expect(connection.endDeposit() == false)
        connection.beginDeposit(isRefill: true)
        #expect(connection.isDepositing && connection.endDeposit() == true)
        #expect(!connection.isDepositing)
        connection.beginDeposit(isRefill: false)
        #expect(connection.endDeposit() == false && !connection.isDepositing)
    }
}
