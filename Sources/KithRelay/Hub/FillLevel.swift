/// The store's fill level. When the store is nearly full, the relay first refuses clients that have nothing stored yet. The
/// refusals leave space for long-established conversations.
enum FillLevel: Int, Comparable {
    /// There is space for everything.
    case roomy
    /// New channels, key packages and names are refused.
    case noNew
    /// The relay refuses new channels, key packages, names and letters. The relay also refuses all entries of recently created
    /// channels.
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
