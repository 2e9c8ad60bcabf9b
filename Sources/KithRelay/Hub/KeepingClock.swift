/// The time by which a relay decides what is old enough to go.
///
/// It is the machine's clock, unless that jumps ahead: a jump is believed only after it has lasted. Until then this time
/// goes on by what has passed. So a clock that is wrong for an hour deletes nothing. A clock that is set back is believed at
/// once: nothing goes too early by it.
struct KeepingClock {
    private var timeMs: UInt64?
    private var uptimeMs: UInt64 = 0
    private var doubt: (sinceUptimeMs: UInt64, aheadMs: UInt64)?

    /// - Parameter notedMs: the time that was noted last, if any.
    init(notedMs: UInt64? = nil) { timeMs = notedMs }

    /// Lead of the machine's clock, in milliseconds; 0 unless it is doubted.
    private(set) var aheadMs: UInt64 = 0

    /// The time now.
    ///
    /// - Parameters:
    ///   - wallMs: milliseconds since 1970 by the machine's clock.
    ///   - uptimeMs: milliseconds by a clock that nobody sets.
    mutating func now(wallMs: UInt64, uptimeMs: UInt64) -> UInt64 {
        let isFirst = self.uptimeMs == 0
        let passedMs = isFirst ? 0 : uptimeMs - min(uptimeMs, self.uptimeMs)
        self.uptimeMs = max(uptimeMs, 1)
        guard let timeMs else { return believe(wallMs) }
        let expectedMs = timeMs + passedMs
        guard wallMs > expectedMs + RelayLimits.believedJumpMs else { return believe(wallMs) }
        aheadMs = wallMs - expectedMs
        if let doubt, max(doubt.aheadMs, aheadMs) - min(doubt.aheadMs, aheadMs) <= RelayLimits.believedJumpMs {
            if uptimeMs - min(uptimeMs, doubt.sinceUptimeMs) >= RelayLimits.doubtedJumpMs { return believe(wallMs) }
        } else {
            doubt = (uptimeMs, aheadMs)
        }
        self.timeMs = expectedMs
        return expectedMs
    }

    private mutating func believe(_ wallMs: UInt64) -> UInt64 {
        timeMs = wallMs
        doubt = nil
        aheadMs = 0
        return wallMs
    }
}
