import KithWire

/// The writer's state of a channel.
struct ChannelState: Sendable {
    /// The number of the channel's row.
    let number: UInt64
    var head: ChannelHead
    /// Position of the channel's last entry in the log; 0 if there is none.
    var lastPosition: UInt64 = 0
    /// Total payload size of all entries that the channel ever had, in bytes. ``ChannelHead/payloadBytes`` counts the kept
    /// entries only.
    var totalBytes: UInt64 = 0
    /// Time at which the first kept entry expires, in milliseconds since 1970; 0 if unknown.
    var dueMs: UInt64 = 0
    /// The references to the entries after the last complete block; `nil` if they are not in memory (see ``OpenBlocks``).
    var openBlock: EntryBlock?

    /// Returns the time at which an entry expires, in milliseconds since 1970.
    func dueMs(receivedAtMs: UInt64) -> UInt64 {
        receivedAtMs.addingReportingOverflow(UInt64(head.retentionSeconds) * 1_000).partialValue
    }

    /// Total payload size of the dropped entries, in bytes.
    var droppedBytes: UInt64 { totalBytes - head.payloadBytes }
}

/// A channel in the cache. If a transaction fails, the changes of the channel's state are undone.
final class CachedChannel {
    let id: ChannelID
    var state: ChannelState
    /// Whether the head is newer than its row in `channel_head`. A channel with a dirty head stays in the cache.
    var isHeadDirty = false
    /// Whether the channel was used since its last examination by ``ChannelCache``. `isBlockUsed` is the corresponding value for
    /// the channel's block.
    var isUsed = false
    var isBlockUsed = false
    /// Whether ``OpenBlocks`` counts the channel's block.
    var isBlockCounted = false
    /// Number of the last transaction that saved the state. A transaction saves the state only once.
    var savedIn: UInt64 = 0

    init(id: ChannelID, state: ChannelState) {
        self.id = id
        self.state = state
    }
}
