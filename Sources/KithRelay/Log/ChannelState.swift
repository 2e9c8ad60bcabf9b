import KithWire

/// The writer's state of a channel.
struct ChannelState: Sendable {
    /// The channel's row.
    let number: UInt64
    var head: ChannelHead
    /// Position of the last entry in the log; 0 before the first.
    var lastPosition: UInt64 = 0
    /// The payload bytes of all entries ever. ``ChannelHead/payloadBytes`` counts the kept ones.
    var totalBytes: UInt64 = 0
    /// Expiry time of the first kept entry, in milliseconds since 1970; 0 if unknown.
    var dueMs: UInt64 = 0
    /// The references to the entries after the last complete block; `nil` if they are not in memory. See
    /// ``OpenBlocks``.
    var openBlock: EntryBlock?

    /// Expiry time of an entry, in milliseconds since 1970.
    func dueMs(receivedAtMs: UInt64) -> UInt64 {
        receivedAtMs.addingReportingOverflow(UInt64(head.retentionSeconds) * 1_000).partialValue
    }

    /// The payload bytes of dropped entries.
    var droppedBytes: UInt64 { totalBytes - head.payloadBytes }
}

/// A channel in the cache. If the transaction fails, changes of its state are undone.
final class CachedChannel {
    let id: ChannelID
    var state: ChannelState
    /// Whether the head is newer than its row in `channel_head`. Such a channel stays in the cache.
    var isHeadDirty = false
    /// Whether the channel was used since ``ChannelCache`` last examined it, and its block since ``OpenBlocks`` did.
    var isUsed = false
    var isBlockUsed = false
    /// Whether ``OpenBlocks`` counts the block.
    var isBlockCounted = false
    /// The last transaction that saved the state: each saves it once.
    var savedIn: UInt64 = 0

    init(id: ChannelID, state: ChannelState) {
        self.id = id
        self.state = state
    }
}
