/// Events in the order of virtual time. Events with the same time stay in the order in which they were added.
struct EventQueue<Event> {
    private struct Item {
        let time: UInt64
        let number: UInt64
        let event: Event
        func isBefore(_ other: Item) -> Bool { (time, number) < (other.time, other.number) }
    }

    private var heap: [Item] = []
    private var lastNumber: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }

    /// The time of the next event, in virtual milliseconds.
    var nextTime: UInt64? { heap.first?.time }

    mutating func put(_ event: Event, at time: UInt64) {
        lastNumber += 1
        heap.append(Item(time: time, number: lastNumber, event: event))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func take() -> (time: UInt64, event: Event)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                    if heap[child].isBefore(heap[least]) { least = child }
                }
                guard least != parent else { break }
                heap.swapAt(parent, least)
                parent = least
            }
        }
        return (first.time, first.event)
    }
}
