/// The numbers of what the other side has sealed: what has come, and what is missing.
struct Inbound: Sendable, Equatable {
    /// The next number expected. Everything below it has come or has been reported.
    private(set) var next: UInt64 = 1
    /// Numbers, not yet passed, that altered frames claimed. Never more than ``ClassicLimits/believedLead``.
    private var reportedAltered: Set<UInt64> = []

    /// Remembers what an altered frame claimed, and says which number to report. A claim that can't be true is not
    /// repeated to the user.
    mutating func noteAltered(claiming number: UInt64) -> UInt64? {
        guard number >= next, number - next < ClassicLimits.believedLead else { return nil }
        reportedAltered.insert(number)
        return number
    }

    /// Whether a number is still to come.
    func isNew(_ number: UInt64) -> Bool { number >= next && number <= ClassicLimits.highestNumber }

    /// Moves past a new number, and gives the ranges below it that never came and were not reported as altered.
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
