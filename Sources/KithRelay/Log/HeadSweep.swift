/// Writes dirty heads, in slices.
///
/// An append changes its channel's head, but not the head's row in `channel_head`. With many channels, these rows are on many
/// different pages, and every append would write a whole page. A sweep writes each changed row once for many appends, in the
/// order of the channels' numbers, a slice with each commit. As long as a row is not written, the log itself shows the channel's
/// end. When a sweep starts, it notes the position of the log's end. Once the sweep is finished, recovery after a crash begins at
/// that position.
struct HeadSweep {
    /// The position at which the sweep began. After the sweep, the heads include all entries up to here.
    let through: UInt64
    /// Channels with dirty heads, sorted by number.
    private let channels: [CachedChannel]
    private var done = 0

    init(through: UInt64, channels: [CachedChannel]) {
        self.through = through
        // The numbers are copied before the sort, because reading them for each comparison would delay the commit.
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
