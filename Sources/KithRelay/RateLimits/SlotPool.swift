import Synchronization

/// A bounded number of places that several threads take and give back.
final class SlotPool: Sendable {
    private let free: Atomic<Int>

    init(_ count: Int) { free = Atomic(count) }

    /// Returns whether there was one.
    func take() -> Bool {
        guard free.wrappingSubtract(1, ordering: .relaxed).newValue < 0 else { return true }
        giveBack()
        return false
    }

    func giveBack() { free.wrappingAdd(1, ordering: .relaxed) }
}
