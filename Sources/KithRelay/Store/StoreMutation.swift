import KithWire

/// One conditional append to one of the store's logs.
package enum StoreMutation: Sendable {
    /// Creates a channel at epoch 0, if no channel with this id ever existed.
    case create(
        channel: ChannelID, kind: ChannelKind = .log, access: Access, retentionSeconds: UInt32, atMs: UInt64)
    /// Appends an entry, if the channel is open and its last seq is the one before. A turn comes with the access of the
    /// epoch that it opens; an inbox accepts no turn.
    case append(channel: ChannelID, entry: Entry, nextAccess: Access?)
    /// Deletes a channel's entries, epochs and key packages for good, if its last seq is this one.
    case close(channel: ChannelID, lastSeq: UInt64)
    /// Drops the entries before `firstSeq`, if the channel is open and has reached that seq. Does nothing if they are
    /// gone already.
    case trim(channel: ChannelID, firstSeq: UInt64)
    /// Adds key packages, if the shelf has this version. A last-resort package replaces the previous one.
    case deposit(
        channel: ChannelID, keyPackages: [KeyPackageBytes], lastResort: KeyPackageBytes?, shelfVersion: UInt64,
        atMs: UInt64)
    /// Takes a one-time key package off the shelf, if the shelf has this version.
    case withdraw(channel: ChannelID, position: UInt64, shelfVersion: UInt64)
    /// Registers a record under its name, if the current one has the version `replacing`; `nil` requires that there is
    /// none.
    case register(record: NameRecord, replacing: UInt64?, atMs: UInt64)
    /// Sets ``ChannelHead/usedMs``: the channel is in use, or was at that time.
    case use(channel: ChannelID, atMs: UInt64)
    /// Deletes a channel and all its rows, as if it had never existed, if it has no entries, was not used since, and
    /// none of its rows waits to be deleted.
    case forget(channel: ChannelID, usedMs: UInt64)
    /// Deletes the record under a name, if there is one.
    case dropName(Name)
    /// Notes the relay's time for its next start.
    case noteClock(NotedClock)
}

/// The outcome of a mutation.
package enum StoreOutcome: Hashable, Sendable {
    /// The mutation is durable.
    case committed
    /// The state was another and nothing changed. The caller reads the state and decides again.
    case conflict
    /// The mutation could not be made durable and nothing changed.
    case failed(StoreFailure)
}
