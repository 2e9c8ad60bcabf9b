import KithWire

/// The state of a channel that an append has to know.
public struct ChannelHead: Hashable, Sendable {
    /// Whether the channel is a log or an inbox. Never changes.
    public var kind: ChannelKind
    /// The current epoch, from 0.
    public var epoch: UInt64
    /// The access to the current epoch.
    public var access: Access
    /// The seq that the current epoch's first entry has or will have.
    public var epochFirstSeq: UInt64
    /// The seq of the first entry still kept; one more than ``lastSeq`` when none is.
    public var firstSeq: UInt64
    /// The seq of the last entry; 0 before the first.
    public var lastSeq: UInt64
    /// The payload bytes kept.
    public var payloadBytes: UInt64
    /// How long entries are kept, in seconds.
    public var retentionSeconds: UInt32
    /// Whether the channel was closed: then it holds nothing, and says so.
    public var isClosed: Bool
    /// When the channel was created, in milliseconds since 1970.
    public let createdMs: UInt64
    /// When it was last noted that somebody with a right uses the channel, in milliseconds since 1970.
    public var usedMs: UInt64

    /// Whether the channel is open and was in use for more than a week: then it is a conversation, which may rest for long.
    public var isInLongUse: Bool { !isClosed && usedMs > createdMs && usedMs - createdMs > StoreLimits.longUseMs }

    /// The head of a channel that was just created.
    public init(created access: Access, kind: ChannelKind = .log, retentionSeconds: UInt32, atMs: UInt64) {
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

/// What each mutation does to a channel's head. Every store decides with these, so that all decide alike.
extension ChannelHead {
    /// Takes an entry at the end. Returns `false`, and changes nothing, if the head is not the one it was decided on.
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

    /// Empties the channel for good. Its last access stays, so that those who held its tokens can be told. Returns `false`, and changes nothing, if its last seq is another.
    mutating func close(lastSeq expected: UInt64) -> Bool {
        guard !isClosed, lastSeq == expected else { return false }
        isClosed = true
        epochFirstSeq = lastSeq + 1
        firstSeq = lastSeq + 1
        payloadBytes = 0
        return true
    }

    /// Whether entries may be dropped so that `firstSeq` becomes the first.
    func canTrim(to firstSeq: UInt64) -> Bool {
        !isClosed && firstSeq <= lastSeq + 1
    }

    /// Moves the front. `droppedBytes` is the payload of the entries that were in between.
    mutating func trim(to firstSeq: UInt64, droppedBytes: UInt64) {
        self.firstSeq = firstSeq
        payloadBytes -= droppedBytes
    }

    /// Whether the channel has an entry.
    var hasEntries: Bool { firstSeq <= lastSeq }

    /// Whether what was received at `receivedAtMs` has been kept for long enough.
    func isExpired(receivedAtMs: UInt64, nowMs: UInt64) -> Bool {
        nowMs > receivedAtMs && nowMs - receivedAtMs > UInt64(retentionSeconds) * 1_000
    }

    /// Whether an epoch is still to be known: the current one, one with entries, and the last few before those.
    func keepsEpoch(_ epoch: UInt64, lastSeq: UInt64?) -> Bool {
        guard let lastSeq, lastSeq < firstSeq else { return true }
        return epoch + StoreLimits.trimmedEpochs >= self.epoch
    }
}
