/// The times that the hub uses. The times change only when the hub reads the clock.
struct HubClock {
    private var retention: RetentionClock
    /// The current time of the ``RetentionClock``, in milliseconds since 1970. The hub uses this time to decide whether data has
    /// expired.
    private(set) var retentionMs: UInt64 = 0
    /// The date for new records, in milliseconds since 1970: the later of ``retentionMs`` and the machine's clock. If at least
    /// one of the two is right, no record gets a date that is too early.
    private(set) var recordMs: UInt64 = 0
    /// The time that was last noted for the next start.
    private var notedMs: UInt64 = 0

    /// - Parameter noted: the time that was noted before the start; `nil` to trust the machine's clock.
    init(noted: NotedClock? = nil) { retention = RetentionClock(noted: noted) }

    /// Milliseconds by which the machine's clock is ahead of ``retentionMs``; 0 unless the clock is doubted.
    var aheadMs: UInt64 { retention.aheadMs }

    /// - Parameters:
    ///   - wallMs: milliseconds since 1970 by the machine's clock.
    ///   - uptimeMs: milliseconds on a monotonic clock.
    mutating func read(wallMs: UInt64, uptimeMs: UInt64) {
        retentionMs = retention.now(wallMs: wallMs, uptimeMs: uptimeMs)
        recordMs = max(retentionMs, wallMs)
    }

    /// The time to note for the next start; `nil` before the first reading.
    var unnoted: NotedClock? { retention.noted }

    /// Whether the time has to be noted now. Always `true` while the clock is doubted: every minute of running time counts
    /// towards the end of the doubt.
    var isNotingDue: Bool {
        retentionMs >= notedMs + RelayLimits.notedClockMs || retentionMs < notedMs || retention.noted?.doubt != nil
    }

    mutating func didNote(_ clock: NotedClock) { notedMs = clock.timeMs }
}
