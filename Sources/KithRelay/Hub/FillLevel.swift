/// The store's fill level. As the store fills up, the relay first refuses clients that have nothing stored yet, and
/// long-established conversations last.
enum FillLevel: Int, Comparable {
    /// There is room.
    case roomy
    /// No new channels, key packages and names.
    case noNew
    /// In addition, no letters, and no entries of channels that were created recently.
    case noRecent
    /// No entries at all.
    case full

    init(usedBytes: UInt64, of limit: UInt64) {
        let percent = limit / 100
        self =
            usedBytes >= limit
            ? .full
            : usedBytes >= percent * RelayLimits.noRecentPercent
                ? .noRecent : usedBytes >= percent * RelayLimits.noNewPercent ? .noNew : .roomy
    }

    static func < (left: FillLevel, right: FillLevel) -> Bool { left.rawValue < right.rawValue }
}
