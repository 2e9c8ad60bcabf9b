/// The times that the hub works with, as of the last reading.
struct HubClock {
    private var retention: RetentionClock
    /// The time that decides what is old enough to be deleted, in milliseconds since 1970.
    private(set) var retentionMs: UInt64 = 0
    /// The date of new records, in milliseconds since 1970: the later one of ``retentionMs`` and the machine's clock.
    /// If either of the two is right, no record is taken for older than it is.
    private(set) var recordMs: UInt64 = 0
    /// The time that was last noted for the next start.
    private var notedMs: UInt64 = 0

    /// - Parameter noted: the time that was noted before the start; `nil` to believe the machine's clock.
    init(noted: NotedClock? = nil) { retention = RetentionClock(noted: noted) }

    /// Lead of the machine's clock, in milliseconds; 0 unless it is doubted.
    var aheadMs: UInt64 { retention.aheadMs }

    /// - Parameters:
    ///   - wallMs: milliseconds since 1970 by the machine's clock.
    ///   - uptimeMs: milliseconds on a monotonic clock.
    mutating func read(wallMs: UInt64, uptimeMs: UInt64) {
        retentionMs = retention.now(wallMs: wallMs, uptimeMs: uptimeMs)
        recordMs = max(retentionMs, wallMs)
    }

    /// The time to note for the next start.
    var unnoted: NotedClock? { retention.noted }

    /// Whether the time has to be noted. While the clock is doubted, each minute of running counts.
    var isNotingDue: Bool {
        retentionMs >= notedMs + RelayLimits.notedClockMs || retentionMs < notedMs || retention.noted?.doubt != nil
    }

    mutating func didNote(_ clock: NotedClock) { notedMs = clock.timeMs }
}
