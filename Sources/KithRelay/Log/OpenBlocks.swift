/// The open blocks in memory, and their eviction. A channel's open block has the references to the entries after the channel's
/// last complete block. A read needs the open block. An append needs the open block only if the block becomes complete. An
/// evicted block is built again from the entries.
struct OpenBlocks {
    private var evictionQueue = SecondChanceQueue<CachedChannel>()
    /// Size of the blocks in memory, in references. The size includes the overhead of the arrays.
    private var size = 0
    private let capacity: Int

    /// Overhead of an array, in references.
    private static let overhead = 2

    /// - Parameter capacity: number of references to keep in memory.
    init(capacity: Int) { self.capacity = capacity }

    /// Replaces the block of a channel by `block`.
    mutating func set(_ block: EntryBlock, of channel: CachedChannel) {
        size += block.references.count - (channel.state.openBlock?.references.count ?? 0)
        channel.state.openBlock = block
        noteUse(of: channel)
    }

    /// Adds the reference to a channel's next entry. If the channel's block is not in memory, adds the reference only if it
    /// begins a new block.
    mutating func append(_ reference: EntryReference, to channel: CachedChannel) {
        if channel.state.openBlock == nil {
            guard EntryBlock.isComplete(at: channel.state.head.lastSeq) else { return }
            channel.state.openBlock = EntryBlock(lastSeq: channel.state.head.lastSeq)
        }
        channel.state.openBlock?.append(reference)
        size += 1
        noteUse(of: channel)
    }

    /// Removes a channel's block from memory.
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
