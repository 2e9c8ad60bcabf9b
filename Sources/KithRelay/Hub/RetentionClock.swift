/// The clock that the relay uses to decide whether data is old enough to be deleted.
///
/// Normally, the relay's time is the time of the machine's clock. If the machine's clock jumps ahead, the relay doubts the
/// clock. While the clock is doubted, the relay's time advances with the uptime, and not with the machine's clock. After
/// ``RelayLimits/doubtedJumpMs`` of running time, the relay accepts the jump. The running time since the jump is added up over
/// all starts of the relay. Time during which the relay was stopped or suspended does not count. Such a pause looks like
/// a jump of the machine's clock, and does not end the doubt. If the machine's clock is still more than
/// ``RelayLimits/believedJumpMs`` ahead after an accepted jump, a new doubt begins.
///
/// A clock that is wrong for an hour causes no deletion. A relay that runs for only some hours a day still deletes old data. If
/// the clock is set back, the relay accepts the new time at once: an earlier time causes no early deletion.
struct RetentionClock {
    /// The time and the doubt as of the last reading of the clock; `nil` before the first reading. The relay notes both, for
    /// use at its next start.
    private(set) var noted: NotedClock?
    private var uptimeMs: UInt64?

    /// - Parameter noted: the last noted time, if there is one.
    init(noted: NotedClock? = nil) { self.noted = noted }

    /// Milliseconds by which the machine's clock is ahead of the relay's time; 0 unless the clock is doubted.
    private(set) var aheadMs: UInt64 = 0

    /// Reads both clocks, and returns the relay's time, in milliseconds since 1970.
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
