import Synchronization

extension Atomic<Int> {
    /// Adds to a counter. The addition is relaxed: no access to other memory depends on the counter's value.
    func count(_ amount: Int = 1) {
        wrappingAdd(amount, ordering: .relaxed)
    }
}

/// An array of counters. Operations on an index out of range do nothing.
final class AtomicCounters: Sendable {
    private let values: Mutex<[Int]>

    init(count: Int) { values = Mutex(Array(repeating: 0, count: count)) }

    func add(_ amount: Int, at index: Int) {
        values.withLock { if $0.indices.contains(index) { $0[index] += amount } }
    }

    func value(at index: Int) -> Int {
        values.withLock { $0.indices.contains(index) ? $0[index] : 0 }
    }
}
