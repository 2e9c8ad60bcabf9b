/// Writes dirty heads, in slices.
///
/// An append changes its channel's head in memory, but not the head's row in `channel_head`. The rows of different channels are
/// on different pages. Writing a row with every append would cost a whole page each time. A sweep writes each changed row once
/// for many appends. The sweep writes the rows in the order of the channels' numbers, one slice with each commit. Until a row
/// is written, the log itself shows the channel's end. At its start, a sweep notes the position of the log's end. After a
/// finished sweep, recovery from a crash begins at this position.
struct HeadSweep {
    /// The position of the log's end at the start of the sweep. After the sweep, the written heads include all entries up to this
    /// position.
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

    /// Whether `slice` is the last slice.
    func isLast(_ slice: ArraySlice<CachedChannel>) -> Bool { slice.endIndex == channels.count }

    /// Notes that the heads of `slice` are durable.
    mutating func finish(_ slice: ArraySlice<CachedChannel>) {
        for channel in slice { channel.isHeadDirty = false }
        done = slice.endIndex
    }
}
