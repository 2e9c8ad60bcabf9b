import KithWire

/// What the writer knows about a channel.
struct ChannelState: Sendable {
    /// The channel's row.
    let number: UInt64
    var head: ChannelHead
    /// Where the last entry is in the log; 0 before the first.
    var lastPosition: UInt64 = 0
    /// The payload bytes of all entries ever; ``ChannelHead/payloadBytes`` are those kept.
    var totalBytes: UInt64 = 0
    /// When the first kept entry expires, in milliseconds since 1970; 0 if not known.
    var dueMs: UInt64 = 0
    /// The references to the entries after the last complete block; `nil` if they are not in memory, see ``OpenBlocks``.
    var openBlock: EntryBlock?

    /// When an entry of this channel expires.
    func dueMs(receivedAtMs: UInt64) -> UInt64 {
        receivedAtMs.addingReportingOverflow(UInt64(head.retentionSeconds) * 1_000).partialValue
    }

    /// The bytes of entries that were dropped.
    var droppedBytes: UInt64 { totalBytes - head.payloadBytes }
}

/// A channel in the cache. Changes of its state are kept if the transaction is, and taken back otherwise.
final class CachedChannel {
    let id: ChannelID
    var state: ChannelState
    /// Whether `channel_head` lags behind. Such a channel stays in the cache.
    var isHeadDirty = false
    /// Whether it was used since ``ChannelCache`` last looked, and its block since ``OpenBlocks`` did.
    var isUsed = false
    var isBlockUsed = false
    /// Whether ``OpenBlocks`` knows of the block.
    var isBlockCounted = false
    /// The transaction that last saved the state, to save it once in each.
    var savedIn: UInt64 = 0

    init(id: ChannelID, state: ChannelState) {
        self.id = id
        self.state = state
    }
}
