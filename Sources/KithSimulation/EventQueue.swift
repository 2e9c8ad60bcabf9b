import HeapModule

/// Events in the order of virtual time. Events with equal times stay in the order in which they were added.
struct EventQueue<Event> {
    private struct Item: Comparable {
        let time: UInt64
        let number: UInt64
        let event: Event

        static func < (one: Item, other: Item) -> Bool { (one.time, one.number) < (other.time, other.number) }
        static func == (one: Item, other: Item) -> Bool { (one.time, one.number) == (other.time, other.number) }
    }

    private var items = Heap<Item>()
    private var lastNumber: UInt64 = 0

    var isEmpty: Bool { items.isEmpty }

    /// The time of the next event, in virtual milliseconds.
    var nextTime: UInt64? { items.min?.time }

    mutating func put(_ event: Event, at time: UInt64) {
        lastNumber += 1
        items.insert(Item(time: time, number: lastNumber, event: event))
    }

    mutating func take() -> (time: UInt64, event: Event)? { items.popMin().map { ($0.time, $0.event) } }
}
