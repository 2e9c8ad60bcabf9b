/// The numbers of the other side's messages: those that have come, and those that are missing.
struct Inbound: Sendable, Equatable {
    /// The next number expected. Everything below it has come or has been reported.
    private(set) var next: UInt64 = 1
    /// Numbers, not yet passed, that altered frames claimed. Never more than ``ClassicLimits/believedLead``.
    private var reportedAltered: Set<UInt64> = []

    /// Remembers the number that an altered frame claimed, and returns the number to report; `nil` for a claim that can't
    /// be true.
    mutating func noteAltered(claiming number: UInt64) -> UInt64? {
        guard number >= next, number - next < ClassicLimits.believedLead else { return nil }
        reportedAltered.insert(number)
        return number
    }

    /// Whether a number has not been passed yet.
    func isNew(_ number: UInt64) -> Bool { number >= next && number <= ClassicLimits.highestNumber }

    /// Moves past a new number, and returns the ranges below it that never came and were not reported as altered.
    mutating func pass(_ number: UInt64) -> [ClosedRange<UInt64>] {
        var missing: [ClosedRange<UInt64>] = []
        var start = next
        for altered in reportedAltered.filter({ $0 < number }).sorted() + [number] {
            if start < altered { missing.append(start...(altered - 1)) }
            start = altered + 1
        }
        next = number + 1
        reportedAltered = reportedAltered.filter { $0 > number }
        return missing
    }
}
