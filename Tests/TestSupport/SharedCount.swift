import Synchronization

/// A number that several threads can add to.
package final class SharedCount: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}
    package var value: Int { count.load(ordering: .sequentiallyConsistent) }
    package func add(_ more: Int) { count.add(more, ordering: .sequentiallyConsistent) }
}
