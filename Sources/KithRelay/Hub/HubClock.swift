/// The times that the hub uses. They change only when the clock is read.
struct HubClock {
    private var retention: RetentionClock
    /// The time by which data expires, in milliseconds since 1970.
    private(set) var retentionMs: UInt64 = 0
    /// The date of new records, in milliseconds since 1970: ``retentionMs`` or the machine's clock, whichever is later. If one of
    /// the two is right, no record gets a date that is too early.
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

    /// Whether the time has to be noted now. This is always so while the clock is doubted, because every minute of running time
    /// counts towards the end of the doubt.
    var isNotingDue: Bool {
        retentionMs >= notedMs + RelayLimits.notedClockMs || retentionMs < notedMs || retention.noted?.doubt != nil
    }

    mutating func didNote(_ clock: NotedClock) { notedMs = clock.timeMs }
}
