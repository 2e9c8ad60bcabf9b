import Synchronization

extension Atomic<Int> {
    /// Adds without ordering: a counter orders nothing.
    func count(_ amount: Int = 1) {
        wrappingAdd(amount, ordering: .relaxed)
    }
}

/// A row of counters. An index out of range is ignored.
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
