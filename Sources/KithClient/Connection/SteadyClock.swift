import KithCore

/// A clock that shows the time since its first use in the program. Nobody can set the clock. The clock continues while the
/// machine sleeps.
enum SteadyClock {
    private static let begin = ContinuousClock.now

    static var now: Duration { ContinuousClock.now - begin }

    /// The time since the first use, in whole milliseconds.
    static var nowMs: UInt64 { UInt64(max(0, now.wholeNanoseconds)) / 1_000_000 }
}
