import KithWire

/// One conditional change of the store. The store makes the change durable as one append to a log.
package enum StoreMutation: Sendable {
    /// If no channel with this id ever existed, creates a channel at epoch 0.
    case create(
        channel: ChannelID, kind: ChannelKind = .log, access: Access, retentionSeconds: UInt32, atMs: UInt64)
    /// If the channel is open, and its last seq is one less than the entry's seq, appends the entry. If the entry is a turn,
    /// `nextAccess` is the access of the next epoch. An inbox accepts no turn.
    case append(channel: ChannelID, entry: Entry, nextAccess: Access?)
    /// If the channel is open, and its last seq is `lastSeq`, deletes the channel's entries, epochs and key packages for good.
    case close(channel: ChannelID, lastSeq: UInt64)
    /// If the channel is open, and its last seq is at least `firstSeq - 1`, drops the entries before `firstSeq`. Does nothing if
    /// the entries before `firstSeq` are already gone.
    case trim(channel: ChannelID, firstSeq: UInt64)
    /// If the shelf has the version `shelfVersion`, adds key packages. A new last-resort package replaces the previous
    /// last-resort package.
    case deposit(
        channel: ChannelID, keyPackages: [KeyPackageBytes], lastResort: KeyPackageBytes?, shelfVersion: UInt64,
        atMs: UInt64)
    /// If the shelf has the version `shelfVersion`, removes the one-time key package at `position` from the shelf.
    case withdraw(channel: ChannelID, position: UInt64, shelfVersion: UInt64)
    /// Registers a record under the record's name if the current record of the name has the version `replacing`. If `replacing`
    /// is `nil`, the name must have no record.
    case register(record: NameRecord, replacing: UInt64?, atMs: UInt64)
    /// Sets ``ChannelHead/usedMs`` to a time at which the channel was in use.
    case use(channel: ChannelID, atMs: UInt64)
    /// Deletes a channel and all its rows, as if the channel had never existed. There are three conditions: the channel has no
    /// entries, was not used since `usedMs`, and has no rows that wait for deletion.
    case forget(channel: ChannelID, usedMs: UInt64)
    /// Deletes the record under a name, if the name has a record.
    case dropName(Name)
    /// Notes the relay's time, for use at the relay's next start.
    case noteClock(NotedClock)
}

/// The outcome of a mutation.
package enum StoreOutcome: Hashable, Sendable {
    /// The mutation is durable.
    case committed
    /// The store did not have the state that the mutation requires. Nothing changed. The caller reads the state and decides
    /// again.
    case conflict
    /// The mutation could not be made durable, so nothing changed.
    case failed(StoreFailure)
}
