import KithWire
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Trimming at the relay")
struct TrimmingTests {
    private static let day: UInt64 = 86_400_000

    /// Lets time pass until a trim is due, and hands the machine a tick then.
    private func tick(_ box: Letterbox) throws -> [Effect] {
        box.passed += try #require(box.inbox.trimDelay(at: box.alice.state.device.wall))
        return try box.handle([.tick])
    }

    @Test("trims an inbox with a limited audience at once, after its letters are stored")
    func few() throws {
        let box = try Letterbox(isReusable: false)
        let effects = try box.bring([box.garbage()])
        #expect(effects.trims == [1])
        let stored = try #require(try box.store.value(StoreKey(.inbox, item: 1)))
        #expect(try InboxRecord(stored: stored).lastSeq == 1)
        // One trim at a time: the second letter is dropped after the first answer.
        let second = try box.bring([box.garbage()])
        #expect(second.trims.isEmpty)
        try box.answerTrims(in: effects)
        #expect(try box.inbox.record.trimmedSeq == 1 && box.inbox.connection.isTrimming)
    }

    @Test("trims a public inbox once a day at most, whatever strangers send")
    func many() throws {
        let box = try Letterbox()
        #expect(try box.bring((0..<256).map { _ in box.garbage() }).trims.isEmpty)
        #expect(try #require(box.alice.wakeDelay) <= ClientLimits.trimSoonMs)
        let first = try tick(box)
        #expect(first.trims == [256])
        try box.answerTrims(in: first)
        let since = box.passed
        // Later letters do not change the time of the next trim.
        let drawn = try box.inbox.record.trimAt
        #expect(try box.bring([box.garbage()]).trims.isEmpty)
        #expect(try box.inbox.record.trimAt == drawn)
        #expect(try box.handle([.tick]).trims.isEmpty)
        let second = try tick(box)
        #expect(second.trims == [257])
        try box.answerTrims(in: second)
        #expect((Self.day...2 * Self.day).contains(box.passed - since))
        // A due time without anything to drop passes, too.
        #expect(try tick(box).trims.isEmpty)
        #expect(try box.bring([box.garbage()]).trims.isEmpty)
    }

    @Test("draws a missed time anew, and keeps a future one, also across a restart")
    func missed() throws {
        let box = try Letterbox()
        try box.bring([box.garbage()])
        let drawn = try box.inbox.record.trimAt
        try box.reopen()
        #expect(try box.connect().trims.isEmpty)
        #expect(try box.inbox.record.trimAt == drawn)

        box.passed += Self.day
        try box.reopen()
        #expect(try box.connect().trims.isEmpty)
        #expect(try box.handle([.tick]).trims.isEmpty, "the trim tells when the device came")
        let again = try box.inbox.record.trimAt - Letterbox.now - box.passed
        #expect((1...ClientLimits.trimSoonMs).contains(again))
        // The clock was ahead when the time was drawn.
        try box.changeInbox { $0.planTrim(at: .max) }
        #expect(try box.connect().trims.isEmpty)
        #expect(try box.inbox.record.trimAt <= Letterbox.now + box.passed + ClientLimits.trimSoonMs)
        #expect(try tick(box).trims == [1])
    }

    @Test("ends before the first letter set aside")
    func aside() throws {
        let box = try Letterbox()
        try box.bring([box.garbage(), box.garbage(), box.garbage()])
        try box.changeInbox { $0.setAside(2, .room) }
        try box.connect()
        #expect(try tick(box).trims == [1])
    }
}
