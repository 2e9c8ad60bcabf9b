/// The writing of dirty heads, in slices.
///
/// An append changes its channel's head, but not the row in `channel_head`. With many channels, those rows are on as
/// many pages, and each page would be written for every append. A sweep writes them once for many appends, in the order
/// of their numbers, some with each commit. Until then, the log itself tells where each channel ends. A sweep remembers
/// the position at which it started. Once it is finished, recovery after a crash starts at that position.
struct HeadSweep {
    /// The position through which heads include entries once the sweep is finished.
    let through: UInt64
    /// Channels with dirty heads, sorted by number.
    private let channels: [CachedChannel]
    private var done = 0

    init(through: UInt64, channels: [CachedChannel]) {
        self.through = through
        // The numbers are copied first: reading them from two channels for each comparison would delay the commit.
        self.channels = channels.map { ($0.state.number, $0) }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// The next channels whose heads have to be written.
    func next(_ count: Int) -> ArraySlice<CachedChannel> { channels[done..<min(done + count, channels.count)] }

    /// Whether `slice` is the last one.
    func isLast(_ slice: ArraySlice<CachedChannel>) -> Bool { slice.endIndex == channels.count }

    /// Notes that the heads of `slice` are durable.
    mutating func finish(_ slice: ArraySlice<CachedChannel>) {
        for channel in slice { channel.isHeadDirty = false }
        done = slice.endIndex
    }
}
