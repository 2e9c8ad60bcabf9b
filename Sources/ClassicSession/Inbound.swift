/// The numbers of the other side's messages: the numbers of messages that have arrived, and the numbers of missing messages.
struct Inbound: Sendable, Equatable {
    /// The next expected number. All lower numbers have arrived, or were reported as missing or altered.
    private(set) var next: UInt64 = 1
    /// Numbers that altered frames have claimed. No number in the set is lower than ``next``. The set has at most
    /// ``ClassicLimits/believedLead`` elements.
    private var reportedAltered: Set<UInt64> = []

    /// Notes the number that an altered frame claims. Returns the number; `nil` if it is outside the range of believed claims
    /// (``ClassicLimits/believedLead``).
    mutating func noteAltered(claiming number: UInt64) -> UInt64? {
        guard number >= next, number - next < ClassicLimits.believedLead else { return nil }
        reportedAltered.insert(number)
        return number
    }

    /// Whether a number is valid and is at least ``next``.
    func isNew(_ number: UInt64) -> Bool { number >= next && number <= ClassicLimits.highestNumber }

    /// Notes that the message with a new number has arrived. Returns the ranges of lower numbers that are missing. The ranges
    /// contain no number that was reported as altered.
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
