import KithWire

/// One conditional append to one of the store's logs.
public enum StoreMutation: Sendable {
    /// Makes a channel at epoch 0, if there has never been one with this id.
    case create(
        channel: ChannelID, kind: ChannelKind = .log, access: Access, retentionSeconds: UInt32, atMs: UInt64)
    /// Appends an entry, if the channel is open and its last seq is the one before. A turn comes with the access of the
    /// epoch it opens; an inbox takes none.
    case append(channel: ChannelID, entry: Entry, nextAccess: Access?)
    /// Drops a channel's entries, epochs and key packages for good, if its last seq is this one.
    case close(channel: ChannelID, lastSeq: UInt64)
    /// Drops the entries before `firstSeq`, if the channel is open and has come that far; nothing if they are gone already.
    case trim(channel: ChannelID, firstSeq: UInt64)
    /// Adds key packages, if the shelf has this version. A last-resort package replaces the one before.
    case deposit(
        channel: ChannelID, keyPackages: [KeyPackageBytes], lastResort: KeyPackageBytes?, shelfVersion: UInt64,
        atMs: UInt64)
    /// Takes a one-time key package off the shelf, if the shelf has this version.
    case withdraw(channel: ChannelID, position: UInt64, shelfVersion: UInt64)
    /// Puts a record under its name, if the one there has this version, or there is none and this is `nil`.
    case register(record: NameRecord, replacing: UInt64?, atMs: UInt64)
    /// Notes that the channel is used, or was: ``ChannelHead/usedMs`` becomes this.
    case use(channel: ChannelID, atMs: UInt64)
    /// Deletes a channel with everything that it has, as if it had never been, if it has no entries, was not used since, and
    /// nothing of it is still to be deleted.
    case forget(channel: ChannelID, usedMs: UInt64)
    /// Deletes the record under a name, if there is one.
    case dropName(Name)
    /// Notes the time that the relay goes by, for its next start.
    case noteClock(NotedClock)
}

/// The outcome of a mutation.
public enum StoreOutcome: Hashable, Sendable {
    /// It is durable.
    case committed
    /// The state was another: nothing changed. Look again and decide anew.
    case conflict
    /// It could not be made durable: nothing changed.
    case failed(StoreFailure)
}

/// Why a store could not do something. Carries no identifier of a channel or a person.
public enum StoreFailure: Error, Hashable, Sendable {
    /// No room on the disk.
    case full
    /// The disk or the database refused; the text is the system's.
    case io(String)
    /// The file does not hold what was written to it; the text says where.
    case damaged(String)
}
