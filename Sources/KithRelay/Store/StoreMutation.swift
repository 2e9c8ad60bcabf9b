import KithWire

/// One conditional change of the store. The store makes the change durable as one append to a log.
package enum StoreMutation: Sendable {
    /// Creates a channel at epoch 0, if no channel with this id ever existed.
    case create(
        channel: ChannelID, kind: ChannelKind = .log, access: Access, retentionSeconds: UInt32, atMs: UInt64)
    /// Appends an entry, if the channel is open and its last seq is one less than the entry's seq. A turn comes with the access
    /// of the epoch that it opens. An inbox accepts no turn.
    case append(channel: ChannelID, entry: Entry, nextAccess: Access?)
    /// Deletes a channel's entries, epochs and key packages for good, if the channel's last seq is `lastSeq`.
    case close(channel: ChannelID, lastSeq: UInt64)
    /// Drops the entries before `firstSeq`, if the channel is open and its last seq is at least `firstSeq - 1`. Does nothing if
    /// the entries are already gone.
    case trim(channel: ChannelID, firstSeq: UInt64)
    /// Adds key packages, if the shelf has the version `shelfVersion`. A new last-resort package replaces the previous one.
    case deposit(
        channel: ChannelID, keyPackages: [KeyPackageBytes], lastResort: KeyPackageBytes?, shelfVersion: UInt64,
        atMs: UInt64)
    /// Removes the one-time key package at `position` from the shelf, if the shelf has the version `shelfVersion`.
    case withdraw(channel: ChannelID, position: UInt64, shelfVersion: UInt64)
    /// Registers a record under its name, if the current record has the version `replacing`. If `replacing` is `nil`, there must
    /// be no record.
    case register(record: NameRecord, replacing: UInt64?, atMs: UInt64)
    /// Sets ``ChannelHead/usedMs`` to a time at which the channel was in use.
    case use(channel: ChannelID, atMs: UInt64)
    /// Deletes a channel and all its rows, as if it had never existed. The conditions are that the channel has no entries, that
    /// it was not used since `usedMs`, and that none of its rows waits to be deleted.
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
    /// The store was not in the state that the mutation requires, so nothing changed. The caller reads the state and decides
    /// again.
    case conflict
    /// The mutation could not be made durable, so nothing changed.
    case failed(StoreFailure)
}
