/// The pause before the next attempt to reach a relay.
public struct RelayPause: Hashable, Sendable {
    /// The reason why the relay could not be reached, in a few words.
    public let reason: String
    /// The time of the next attempt, in milliseconds since 1970.
    package let untilMs: UInt64

    package init(reason: String, untilMs: UInt64) {
        self.reason = reason
        self.untilMs = untilMs
    }
}
