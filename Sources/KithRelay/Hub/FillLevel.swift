/// The store's fill level. As the store fills up, the relay first refuses clients that have nothing stored yet, so that
/// long-established conversations continue to work.
enum FillLevel: Int, Comparable {
    /// There is room for everything.
    case roomy
    /// New channels, key packages and names are refused.
    case noNew
    /// New channels, key packages and names are refused, and so are letters and the entries of channels that were created
    /// recently.
    case noRecent
    /// All entries are refused.
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
