/// Which channels have their open block in memory. A block is needed when it is complete, and for reading; until then a
/// channel can do without, and the entries themselves say what would be in it.
struct OpenBlocks {
    private var evictionQueue = SecondChanceQueue<CachedChannel>()
    /// References in memory, with what the memory for them needs beside.
    private var size = 0
    private let capacity: Int

    /// An array's own memory, in references.
    private static let overhead = 2

    /// - Parameter capacity: how many references to keep.
    init(capacity: Int) { self.capacity = capacity }

    /// Gives a channel its block, in the place of the one it has.
    mutating func set(_ block: EntryBlock, of channel: CachedChannel) {
        size += block.references.count - (channel.state.openBlock?.references.count ?? 0)
        channel.state.openBlock = block
        noteUse(of: channel)
    }

    /// Adds the reference to a channel's next entry to its block, if that is in memory or begins.
    mutating func append(_ reference: EntryReference, to channel: CachedChannel) {
        if channel.state.openBlock == nil {
            guard EntryBlock.isComplete(at: channel.state.head.lastSeq) else { return }
            channel.state.openBlock = EntryBlock(lastSeq: channel.state.head.lastSeq)
        }
        channel.state.openBlock?.append(reference)
        size += 1
        noteUse(of: channel)
    }

    /// Forgets a channel's block, which was taken back.
    mutating func clear(_ channel: CachedChannel) {
        size -= channel.state.openBlock?.references.count ?? 0
        channel.state.openBlock = nil
    }

    private mutating func noteUse(of channel: CachedChannel) {
        channel.isBlockUsed = true
        guard !channel.isBlockCounted else { return }
        channel.isBlockCounted = true
        size += OpenBlocks.overhead
        evictionQueue.enter(channel)
        while size > capacity, let idle = evictionQueue.next(OpenBlocks.mayGo) {
            clear(idle)
            size -= OpenBlocks.overhead
            idle.isBlockCounted = false
        }
    }

    private static func mayGo(_ channel: CachedChannel) -> Bool {
        defer { channel.isBlockUsed = false }
        return !channel.isBlockUsed
    }
}
