import Synchronization

/// A bounded number of slots that several threads share.
final class SlotPool: Sendable {
    private let count: Int
    private let free: Atomic<Int>

    init(_ count: Int) {
        self.count = count
        free = Atomic(count)
    }

    /// Whether no slot is taken.
    var isUnused: Bool { free.load(ordering: .relaxed) == count }

    /// Takes a slot. Returns `false` if no slot is free.
    func take() -> Bool {
        guard free.wrappingSubtract(1, ordering: .relaxed).newValue < 0 else { return true }
        giveBack()
        return false
    }

    func giveBack() { free.wrappingAdd(1, ordering: .relaxed) }
}
