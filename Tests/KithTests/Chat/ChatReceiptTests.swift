import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite("Read marks and presence in a chat") struct ChatReceiptTests {
    private let things: ChatModelTests

    init() throws { things = try ChatModelTests() }

    @Test("a receipt marks its message and all earlier ones; only the last message's has a notice, with its beginning")
    func receipts() throws {
        var model = try things.model()
        _ = model.open(now: things.now)
        for number in 1...3 as ClosedRange<UInt8> {
            _ = model.handle(
                .event(.message(try things.message(number, "no \(number)", seq: UInt64(number), delivery: .onRelay))),
                now: things.now
            )
        }
        _ = model.handle(
            .event(.message(try things.message(4, "well", from: things.fromBob(), seq: 4))), now: things.now)
        let second = model.handle(
            .event(.message(try things.message(2, "no 2", seq: 2, delivery: .read(by: 1)))), now: things.now)
        #expect((1...3).map { things.mark(of: $0, second) } == ["✓✓", "✓✓", "✓"])
        #expect(things.readNotice(second) == nil)
        let third = model.handle(
            .event(.message(try things.message(3, "no 3", seq: 3, delivery: .read(by: 1)))), now: things.now)
        #expect((1...3).map { things.mark(of: $0, third) } == ["✓✓", "✓✓", "✓✓"])
        #expect(things.readNotice(third) == "[bob has read “no 3”]")
    }

    @Test("in a group, the mark counts the readers, and only the first and the last have a notice")
    func groupReceipts() throws {
        var model = try things.model(things.summary(members: 4))
        _ = model.open(now: things.now)
        _ = model.handle(.event(.message(try things.message(1, "hi", seq: 1, delivery: .onRelay))), now: things.now)
        let outputs = try (1...3).map { count in
            model.handle(
                .event(.message(try things.message(1, "hi", seq: 1, delivery: .read(by: count)))), now: things.now)
        }
        #expect(outputs.map { things.mark(of: 1, $0) } == ["✓✓ 1", "✓✓ 2", "✓✓ 3"])
        #expect(
            outputs.map(things.readNotice) == ["[1 of 3 has read up to here]", nil, "[everyone has read up to here]"])
        // When a group shrinks to two people, the count has no use.
        let left = model.handle(.event(.conversation(things.summary(members: 2))), now: things.now)
        #expect(things.mark(of: 1, left) == "✓✓")
    }

    @Test("a page of /history that is newer than the screen updates the marks above it")
    func marksOfHistory() throws {
        var model = try things.model(history: [try things.message(1, "hi", seq: 1, delivery: .onRelay)])
        _ = model.open(now: things.now)
        let page = [try things.message(1, "hi", seq: 1, delivery: .read(by: 1))]
        let outputs = model.handle(
            .answered(.history(before: nil, limit: 1), .success(.messages(page))), now: things.now)
        #expect(things.mark(of: 1, outputs) == "✓✓")
    }

    @Test("a member's presence is announced at most once a minute")
    func presence() throws {
        var model = try things.model()
        _ = model.open(now: things.now)
        let here = KithEvent.memberIsOnline(things.team, things.bob, name: "bob", .same)
        #expect(
            things.shown(model.handle(.event(here), now: things.now)) == [
                "[bob is online, proved by a signature, and sees the same messages]"
            ])
        #expect(model.handle(.event(here), now: things.now + 1_000) == [])
        #expect(things.shown(model.handle(.event(here), now: things.now + 61_000)).count == 1)
    }

    @Test(
        "members of a group who are online within a moment share a line",
        arguments: [
            (1, "[ann is online, proved by a signature, and sees the same messages]"),
            (2, "[ann and ben are online, proved by signatures, and see the same messages]"),
            (5, "[ann, ben, cem, dan and eve are online, proved by signatures, and see the same messages]"),
            (7, "[ann, ben, cem, dan and 3 others are online, proved by signatures, and see the same messages]"),
        ])
    func arrivals(count: Int, line: String) throws {
        var model = try things.model(things.summary(members: 8))
        _ = model.open(now: things.now)
        let names = ["ann", "ben", "cem", "dan", "eve", "fay", "gil"].prefix(count)
        var timers = 0
        for (index, name) in names.enumerated() {
            let contact = ContactID(rawValue: UInt64(index + 1))
            let outputs = model.handle(
                .event(.memberIsOnline(things.team, contact, name: name, .same)), now: things.now)
            #expect(things.shown(outputs) == [])
            timers += outputs.count { $0 == .tellArrivals }
        }
        #expect(timers == 1)
        #expect(things.shown(model.handle(.arrivalsAreDue, now: things.now + 700)) == [line])
        #expect(model.handle(.arrivalsAreDue, now: things.now + 800) == [])
    }
}
