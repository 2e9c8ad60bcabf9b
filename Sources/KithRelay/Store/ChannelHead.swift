import KithWire

/// The state of a channel, as far as mutations depend on it.
package struct ChannelHead: Hashable, Sendable {
    /// Whether the channel is a log or an inbox. Never changes.
    package var kind: ChannelKind
    /// The current epoch, from 0.
    package var epoch: UInt64
    /// The grants of the current epoch.
    package var access: Access
    /// The seq of the current epoch's first entry, whether it exists yet or not.
    package var epochFirstSeq: UInt64
    /// The seq of the first kept entry; one more than ``lastSeq`` if there is none.
    package var firstSeq: UInt64
    /// The seq of the last entry; 0 before the first.
    package var lastSeq: UInt64
    /// The payload bytes of the kept entries.
    package var payloadBytes: UInt64
    /// Retention of entries, in seconds.
    package var retentionSeconds: UInt32
    /// Whether the channel was closed. A closed channel holds nothing.
    package var isClosed: Bool
    /// Creation time of the channel, in milliseconds since 1970.
    package let createdMs: UInt64
    /// Time at which the use of the channel by a client with a right was last noted, in milliseconds since 1970.
    package var usedMs: UInt64

    /// Whether the channel is open and was in use for more than a week. Such a channel is a conversation, which may
    /// rest for long.
    package var isInLongUse: Bool { !isClosed && usedMs > createdMs && usedMs - createdMs > StoreLimits.longUseMs }

    /// The head of a new channel.
    package init(created access: Access, kind: ChannelKind = .log, retentionSeconds: UInt32, atMs: UInt64) {
        createdMs = atMs
        usedMs = atMs
        self.kind = kind
        epoch = 0
        self.access = access
        epochFirstSeq = 1
        firstSeq = 1
        lastSeq = 0
        payloadBytes = 0
        self.retentionSeconds = retentionSeconds
        isClosed = false
    }
}

/// The effect of each mutation on a channel's head. Every store and the hub use these functions, so all decide alike.
extension ChannelHead {
    /// Appends an entry. Returns `false`, without a change, if the entry was decided on another head.
    mutating func append(_ entry: Entry, nextAccess: Access?) -> Bool {
        guard !isClosed, entry.seq == lastSeq + 1, entry.epoch == epoch, (entry.kind == .turn) == (nextAccess != nil)
        else { return false }
        guard kind == .log || nextAccess == nil else { return false }
        lastSeq = entry.seq
        payloadBytes += UInt64(entry.payload.count)
        if let nextAccess {
            epoch += 1
            access = nextAccess
            epochFirstSeq = entry.seq + 1
        }
        return true
    }

    /// Empties the channel for good. Its last access stays, so that clients with its tokens can be told. Returns
    /// `false`, without a change, if its last seq is another.
    mutating func close(lastSeq expected: UInt64) -> Bool {
        guard !isClosed, lastSeq == expected else { return false }
        isClosed = true
        epochFirstSeq = lastSeq + 1
        firstSeq = lastSeq + 1
        payloadBytes = 0
        return true
    }

    /// Whether entries may be dropped so that `firstSeq` becomes the first seq.
    func canTrim(to firstSeq: UInt64) -> Bool {
        !isClosed && firstSeq <= lastSeq + 1
    }

    /// Drops the entries before `firstSeq`.
    ///
    /// - Parameter droppedBytes: the payload bytes of the dropped entries.
    mutating func trim(to firstSeq: UInt64, droppedBytes: UInt64) {
        self.firstSeq = firstSeq
        payloadBytes -= droppedBytes
    }

    /// Whether the channel has entries.
    var hasEntries: Bool { firstSeq <= lastSeq }

    /// Whether an entry received at `receivedAtMs` has reached the end of its retention.
    func isExpired(receivedAtMs: UInt64, nowMs: UInt64) -> Bool {
        nowMs > receivedAtMs && nowMs - receivedAtMs > UInt64(retentionSeconds) * 1_000
    }

    /// Whether the record of an epoch is kept: that of the current epoch, of epochs with entries, and of the last ones
    /// before.
    func keepsEpoch(_ epoch: UInt64, lastSeq: UInt64?) -> Bool {
        guard let lastSeq, lastSeq < firstSeq else { return true }
        return epoch + StoreLimits.trimmedEpochs >= self.epoch
    }
}
