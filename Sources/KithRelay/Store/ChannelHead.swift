import KithWire

/// The part of a channel's state on which mutations depend.
package struct ChannelHead: Hashable, Sendable {
    /// Whether the channel is a log or an inbox. The kind never changes.
    package var kind: ChannelKind
    /// The number of the current epoch. The first epoch is 0.
    package var epoch: UInt64
    /// The grants of the current epoch.
    package var access: Access
    /// The seq of the current epoch's first entry, even if that entry does not exist yet.
    package var epochFirstSeq: UInt64
    /// The seq of the first kept entry. If there is no kept entry, the value is one more than ``lastSeq``.
    package var firstSeq: UInt64
    /// The seq of the last entry; 0 if there never was one.
    package var lastSeq: UInt64
    /// Total payload size of the kept entries, in bytes.
    package var payloadBytes: UInt64
    /// Time for which entries are kept, in seconds.
    package var retentionSeconds: UInt32
    /// Whether the channel was closed. A closed channel holds nothing.
    package var isClosed: Bool
    /// Creation time of the channel, in milliseconds since 1970.
    package let createdMs: UInt64
    /// Time of the last noted use of the channel by a client with an access right, in milliseconds since 1970.
    package var usedMs: UInt64

    /// Whether the channel is open and was in use for more than a week. A channel in long use most likely belongs to a
    /// conversation, and people may pause a conversation for a long time.
    package var isInLongUse: Bool { !isClosed && usedMs > createdMs && usedMs - createdMs > StoreLimits.longUseMs }

    /// Creates the head of a new channel.
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

/// The effect of each mutation on a channel's head. The hub and all stores share the functions of this extension, so that they
/// decide alike.
extension ChannelHead {
    /// Appends an entry. If the entry does not fit this head, or is not possible in this kind of channel, returns `false` and
    /// changes nothing.
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

    /// Empties the channel for good. If the channel is already closed, or if its last seq is not `lastSeq`, returns `false` and
    /// changes nothing. The access of the last epoch stays, so that the relay can tell clients with a token that the channel
    /// was closed.
    mutating func close(lastSeq expected: UInt64) -> Bool {
        guard !isClosed, lastSeq == expected else { return false }
        isClosed = true
        epochFirstSeq = lastSeq + 1
        firstSeq = lastSeq + 1
        payloadBytes = 0
        return true
    }

    /// Whether the entries before `firstSeq` may be dropped.
    func canTrim(to firstSeq: UInt64) -> Bool {
        !isClosed && firstSeq <= lastSeq + 1
    }

    /// Drops the entries before `firstSeq`.
    ///
    /// - Parameter droppedBytes: the total payload size of the dropped entries, in bytes.
    mutating func trim(to firstSeq: UInt64, droppedBytes: UInt64) {
        self.firstSeq = firstSeq
        payloadBytes -= droppedBytes
    }

    /// Whether the channel has entries.
    var hasEntries: Bool { firstSeq <= lastSeq }

    /// Whether the retention of an entry received at `receivedAtMs` is over.
    func isExpired(receivedAtMs: UInt64, nowMs: UInt64) -> Bool {
        nowMs > receivedAtMs && nowMs - receivedAtMs > UInt64(retentionSeconds) * 1_000
    }

    /// Whether the channel keeps the record of an epoch. The channel keeps the records of the current epoch, of all epochs with
    /// kept entries, and of the last ``StoreLimits/trimmedEpochs`` epochs before the current epoch.
    func keepsEpoch(_ epoch: UInt64, lastSeq: UInt64?) -> Bool {
        guard let lastSeq, lastSeq < firstSeq else { return true }
        return epoch + StoreLimits.trimmedEpochs >= self.epoch
    }
}
