/// The wait before a relay that was not reached is tried again.
public struct RelayPause: Hashable, Sendable {
    /// Why the relay was not reached, in a few words.
    public let reason: String
    /// The time of the next try, in milliseconds since 1970.
    package let untilMs: UInt64

    package init(reason: String, untilMs: UInt64) {
        self.reason = reason
        self.untilMs = untilMs
    }
}
