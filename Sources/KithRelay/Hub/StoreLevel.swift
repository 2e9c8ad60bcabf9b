/// The store's fill level, which decides what the relay takes: those who have nothing at it yet are refused first, and the
/// conversations that have been there for long last.
enum StoreLevel: Int, Comparable {
    /// There is room.
    case roomy
    /// No more channels, key packages and names.
    case noNew
    /// Nor letters, nor entries of channels that were created lately.
    case noLate
    /// Nor any entries.
    case full

    init(usedBytes: UInt64, of limit: UInt64) {
        let percent = limit / 100
        self =
            usedBytes >= limit
            ? .full
            : usedBytes >= percent * RelayLimits.noLatePercent
                ? .noLate : usedBytes >= percent * RelayLimits.noNewPercent ? .noNew : .roomy
    }

    static func < (left: StoreLevel, right: StoreLevel) -> Bool { left.rawValue < right.rawValue }
}
