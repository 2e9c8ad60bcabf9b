/// The time by which the relay decides that data is old enough to be deleted.
///
/// This is the machine's clock, unless that clock jumps ahead. After a jump, this time advances by the uptime, and the clock is
/// doubted. The time that the clock showed at the jump is accepted after the relay has run for ``RelayLimits/doubtedJumpMs``, in
/// total over all starts and suspensions. Starts and suspensions look like jumps too, so they neither end the doubt nor count as
/// running time. If the clock is still ahead then, the rest is doubted next.
///
/// So a clock that is wrong for an hour deletes nothing, and a relay that runs for some hours a day still deletes. A clock that
/// is set back is accepted at once, because it deletes nothing too early.
struct RetentionClock {
    /// The time and the doubt at the last reading, which the relay notes for the next start; `nil` before the first reading.
    private(set) var noted: NotedClock?
    private var uptimeMs: UInt64?

    /// - Parameter noted: the last noted time, if there is one.
    init(noted: NotedClock? = nil) { self.noted = noted }

    /// Milliseconds by which the machine's clock is ahead; 0 unless the clock is doubted.
    private(set) var aheadMs: UInt64 = 0

    /// Reads the time.
    ///
    /// - Parameters:
    ///   - wallMs: milliseconds since 1970 by the machine's clock.
    ///   - uptimeMs: milliseconds on a monotonic clock that stands still while the machine is suspended.
    mutating func now(wallMs: UInt64, uptimeMs: UInt64) -> UInt64 {
        let passedMs = uptimeMs - min(uptimeMs, self.uptimeMs ?? uptimeMs)
        self.uptimeMs = uptimeMs
        guard let noted else { return believe(wallMs) }
        var timeMs = noted.timeMs + passedMs
        guard wallMs > timeMs + RelayLimits.believedJumpMs else { return believe(wallMs) }
        var doubt = noted.doubt ?? NotedClock.Doubt(wallMs: wallMs)
        if noted.doubt != nil { doubt.run(passedMs) }
        // The clock was set back, so the time that it showed at the jump was wrong.
        if wallMs + RelayLimits.believedJumpMs < doubt.wallMs { doubt = NotedClock.Doubt(wallMs: wallMs) }
        if doubt.ranMs >= RelayLimits.doubtedJumpMs {
            timeMs = min(doubt.wallMs, wallMs)
            guard wallMs > timeMs + RelayLimits.believedJumpMs else { return believe(wallMs) }
            doubt = NotedClock.Doubt(wallMs: wallMs)
        }
        aheadMs = wallMs - timeMs
        self.noted = NotedClock(timeMs: timeMs, doubt: doubt)
        return timeMs
    }

    private mutating func believe(_ wallMs: UInt64) -> UInt64 {
        noted = NotedClock(timeMs: wallMs)
        aheadMs = 0
        return wallMs
    }
}

extension NotedClock.Doubt {
    fileprivate mutating func run(_ ms: UInt64) {
        wallMs += ms
        ranMs += ms
    }
}
