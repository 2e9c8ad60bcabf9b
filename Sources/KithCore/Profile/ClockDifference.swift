/// A large difference between the device's clock and another clock. One of the two clocks must be wrong.
public struct ClockDifference: Hashable, Sendable {
    /// The source of the other clock.
    public enum Witness: Hashable, Sendable {
        /// A relay, which has stated its time when the device connected.
        case relay(RelayAddress)
        /// A contact who has signed a message with a time in the future.
        case contact(ContactID, name: String)
        /// A contact who has signed a message with a time in the future, although the relay's clock agrees with this device's.
        case contactAlone(ContactID, name: String)
    }

    /// The source of the other clock.
    public let witness: Witness
    /// Milliseconds by which this device's clock is ahead of the other; negative if it is behind.
    package let aheadMs: Int64
    /// Time by which this device's clock is ahead of the other; negative if it is behind.
    public var lead: Duration { .milliseconds(aheadMs) }

    /// Creates a difference from its parts.
    package init(witness: Witness, aheadMs: Int64) {
        self.witness = witness
        self.aheadMs = aheadMs
    }

    /// A sentence about the difference, with advice, without a full stop.
    package var sentence: Sentence {
        let difference: Sentence = "\(own: Self.span(aheadMs.magnitude)) \(aheadMs < 0 ? "behind" : "ahead of")"
        switch witness {
        case .relay(let address):
            return "this device's clock is \(difference) that of the relay \(address); set the one that is wrong"
        case .contact(_, let name):
            return "this device's clock is \(difference) \(name: name)'s; check this device's date and time"
        case .contactAlone(_, let name):
            let difference: Sentence = "\(own: Self.span(aheadMs.magnitude)) \(aheadMs < 0 ? "ahead of" : "behind")"
            return
                "\(name: name)'s clock is \(difference) this device's and the relay's; ask \(name: name) to check the date"
        }
    }

    /// Formats a duration as a rounded number of years, days, hours or minutes, in the largest unit in which the number is at
    /// least two. A duration of less than two hours is in minutes.
    private static func span(_ ms: UInt64) -> String {
        let units: [(ms: UInt64, name: String)] = [
            (365 * 86_400_000, "years"), (86_400_000, "days"), (3_600_000, "hours"),
        ]
        for unit in units where ms >= 2 * unit.ms - unit.ms / 24 {
            return "\((ms / 2 + unit.ms / 4) / (unit.ms / 2)) \(unit.name)"
        }
        return "\((ms + 30_000) / 60_000) minutes"
    }
}
