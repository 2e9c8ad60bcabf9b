/// The time that a relay goes by, as it is noted for the next start.
public struct NotedClock: Hashable, Sendable {
    /// That time, in milliseconds since 1970.
    public var timeMs: UInt64
    /// The doubt in the machine's clock, if it was far ahead of that time.
    public var doubt: Doubt?

    /// How long the machine's clock has been doubted.
    public struct Doubt: Hashable, Sendable {
        /// The time that the doubted clock showed first, with ``ranMs`` added, in milliseconds since 1970.
        public var wallMs: UInt64
        /// How long the relay has run since, in milliseconds.
        public var ranMs: UInt64

        /// A doubt from its values; one that begins, unless told.
        public init(wallMs: UInt64, ranMs: UInt64 = 0) {
            self.wallMs = wallMs
            self.ranMs = ranMs
        }
    }

    /// A time from its values.
    public init(timeMs: UInt64, doubt: Doubt? = nil) {
        self.timeMs = timeMs
        self.doubt = doubt
    }
}
