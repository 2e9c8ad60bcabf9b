/// The writing down of heads.
///
/// An append changes its channel's head, but not the row in `channel_head`: with many channels those rows are on as many
/// pages, and each would be written again for every append. They are written for many appends at once, in the order of
/// their numbers, some beside each commit. Until then the log itself says where each channel ends: a sweep remembers the
/// position at which it started, and once it is through, nothing before that position has to be looked at after a crash.
struct HeadSweep {
    /// Entries up to here are in the heads once the sweep is through.
    let through: UInt64
    /// Channels that are behind, sorted by number.
    private let channels: [CachedChannel]
    private var done = 0

    init(through: UInt64, channels: [CachedChannel]) {
        self.through = through
        // The numbers are taken along: to look into two channels for each comparison would hold up the commit.
        self.channels = channels.map { ($0.state.number, $0) }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// The next channels whose heads are to be written.
    func next(_ count: Int) -> ArraySlice<CachedChannel> { channels[done..<min(done + count, channels.count)] }

    /// Whether nothing remains after `slice`.
    func isLast(_ slice: ArraySlice<CachedChannel>) -> Bool { slice.endIndex == channels.count }

    /// Notes that the heads of `slice` are durable.
    mutating func finish(_ slice: ArraySlice<CachedChannel>) {
        for channel in slice { channel.isHeadDirty = false }
        done = slice.endIndex
    }
}
