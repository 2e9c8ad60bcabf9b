/// A relay's time that is noted for the next start.
package struct NotedClock: Hashable, Sendable {
    /// The time, in milliseconds since 1970.
    package var timeMs: UInt64
    /// The doubt in the machine's clock; `nil` unless that clock was far ahead of ``timeMs``.
    package var doubt: Doubt?

    /// The state of a doubt in the machine's clock.
    package struct Doubt: Hashable, Sendable {
        /// The time of the doubted clock right after the jump, plus ``ranMs``, in milliseconds since 1970.
        package var wallMs: UInt64
        /// Running time of the relay since the jump, in milliseconds.
        package var ranMs: UInt64

        /// Creates a doubt from its values. By default, the doubt begins now.
        package init(wallMs: UInt64, ranMs: UInt64 = 0) {
            self.wallMs = wallMs
            self.ranMs = ranMs
        }
    }

    /// Creates a noted time from its values.
    package init(timeMs: UInt64, doubt: Doubt? = nil) {
        self.timeMs = timeMs
        self.doubt = doubt
    }
}
