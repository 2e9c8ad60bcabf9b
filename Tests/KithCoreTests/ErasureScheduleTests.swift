import KithWire
import Testing

@testable import KithCore

@Suite("Erasure schedule")
struct ErasureScheduleTests {
    private var step = Step()
    private var schedule = ErasureSchedule()
    private let relay = RelayID(rawValue: 1)
    private let conversation = ConversationID(rawValue: 1)
    private static let begin: UInt64 = 1_750_000_000_000

    private func place(_ seq: UInt64) -> EntryPlace { EntryPlace(conversation: conversation, seq: seq) }

    /// The clocks at a time after the start, in seconds.
    private func clocks(_ seconds: UInt64, relay other: UInt64? = nil) -> Clocks {
        var clocks = Clocks(wall: Self.begin + seconds * 1000, steady: 0)
        if let other { clocks.relay(relay, says: Self.begin + other * 1000) }
        return clocks
    }

    private mutating func add(_ seq: UInt64, seconds: UInt32) {
        schedule.add(place(seq), Expiry(after: seconds, wall: Self.begin, relay: Self.begin), in: &step)
    }

    private mutating func over(_ clocks: Clocks) -> [UInt64] {
        schedule.removeDue(clocks, relay: { [relay] _ in relay }, in: &step).map(\.seq)
    }

    @Test("texts are erased in the order of the log when they have expired by both clocks")
    mutating func both() {
        add(2, seconds: 60)
        add(1, seconds: 60)
        add(3, seconds: 120)
        #expect(over(clocks(60)).isEmpty)
        #expect(over(clocks(60, relay: 59)).isEmpty)
        #expect(over(clocks(59, relay: 60)).isEmpty)
        let delays = schedule.delays(clocks(30, relay: 20)) { _ in relay }
        #expect(delays.sorted() == [40_000, 40_000, 100_000])
        #expect(over(clocks(60, relay: 60)) == [1, 2])
        #expect(schedule[place(1)] == nil && schedule[place(3)] != nil)
    }

    @Test("the texts of a deleted conversation are erased at once")
    mutating func gone() {
        add(1, seconds: 60)
        #expect(schedule.removeDue(clocks(0), relay: { _ in nil }, in: &step).map(\.seq) == [1])
    }

    @Test("a clock that was far ahead when a text came does not delay its erasure")
    mutating func ahead() {
        let late = Self.begin + 1_000_000_000
        schedule.add(place(1), Expiry(after: 60, wall: late, relay: Self.begin), in: &step)
        #expect(over(clocks(0, relay: 0)).isEmpty)
        #expect(over(clocks(60, relay: 60)) == [1])
    }

    @Test("waiting commands are listed in the order of their intents")
    mutating func waiting() {
        var commands = WaitingCommands()
        let places = [9, 2, 5].map { IntentPlace(conversation: conversation, intent: $0) }
        for (number, place) in places.enumerated() {
            commands.wait(Ticket(CommandID(rawValue: UInt64(number))), for: place)
        }
        #expect(commands.places(in: conversation).map(\.intent) == [2, 5, 9])
        #expect(commands.places(in: ConversationID(rawValue: 2)).isEmpty)
        commands.finish(at: places[1], .success(conversation), in: &step)
        #expect(!commands.isAny(for: places[1]) && commands.isAny(for: places[0]))
    }
}
