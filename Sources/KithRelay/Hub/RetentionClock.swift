/// The time that decides what is old enough to be deleted.
///
/// It is the machine's clock, unless that clock jumps ahead: then this time advances by the uptime, and the clock is
/// doubted. The time that the clock showed first is believed once the relay has run for ``RelayLimits/doubtedJumpMs``
/// since, over any number of starts and suspensions. Starts and suspensions look like jumps as well, so they neither
/// end the doubt nor count as running. The rest of the clock's lead is doubted next. So a clock that is wrong for an
/// hour deletes nothing, and a relay that runs for some hours a day still deletes. A clock that is set back is believed
/// at once: it deletes nothing too early.
struct RetentionClock {
    /// The time and the doubt as of the last reading, to be noted for the next start; `nil` before the first reading.
    private(set) var noted: NotedClock?
    private var uptimeMs: UInt64?

    /// - Parameter noted: the last noted time, if there is one.
    init(noted: NotedClock? = nil) { self.noted = noted }

    /// Lead of the machine's clock, in milliseconds; 0 unless it is doubted.
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
        // The clock was set back: the time that it showed first was wrong.
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
