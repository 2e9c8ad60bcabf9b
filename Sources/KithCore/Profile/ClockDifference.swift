/// The device's clock and another's differ by so much that one of the two must be wrong.
public struct ClockDifference: Hashable, Sendable {
    /// Whose clock it is.
    public enum Witness: Hashable, Sendable {
        /// A relay said its time when it was connected to.
        case relay(RelayAddress)
        /// A contact signed a message at a time that has not come yet.
        case contact(ContactID, name: String)
        /// A contact signed a message at a time that has not come yet, and the relay's clock agrees with this device's.
        case contactAlone(ContactID, name: String)
    }

    /// Whose clock it is.
    public let witness: Witness
    /// Lead of this device's clock over the other, in milliseconds; negative if it is behind.
    package let aheadMs: Int64
    /// Lead of this device's clock over the other; negative if it is behind.
    public var lead: Duration { .milliseconds(aheadMs) }

    /// A difference from its parts.
    package init(witness: Witness, aheadMs: Int64) {
        self.witness = witness
        self.aheadMs = aheadMs
    }

    /// The difference and its remedy, without a full stop.
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

    /// A length of time, rounded, in the largest unit of which there are two.
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
