import KithWire
import NIOCore
import NIOPosix

/// A store in memory, whose data is lost when the process ends. Tests compare other stores with this store.
package actor MemoryStore: ChannelStore {
    /// See ``ChannelStore/eventLoop``.
    package nonisolated let eventLoop: any EventLoop
    /// See ``ChannelStore/relayID``.
    package nonisolated let relayID: [UInt8]
    private nonisolated let executor: any SerialExecutor

    private var channels: [ChannelID: MemoryChannel] = [:]
    private var records: [Name: StoredName] = [:]
    private var clock: NotedClock?

    /// The executor of the store's event loop.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Creates an empty store.
    ///
    /// - Parameter eventLoop: the event loop on which the store runs; by default one of the process's shared loops.
    package init(eventLoop: (any EventLoop)? = nil) {
        let eventLoop = eventLoop ?? MultiThreadedEventLoopGroup.singleton.any()
        self.eventLoop = eventLoop
        executor = eventLoop.executor
        relayID = EntryID.random().bytes
    }

    /// See ``ChannelStore/head(of:)``.
    package func head(of channel: ChannelID) -> ChannelHead? { channels[channel]?.head }

    /// See ``ChannelStore/epoch(_:of:)``.
    package func epoch(_ epoch: UInt64, of channel: ChannelID) -> EpochRecord? { channels[channel]?.epochs[epoch] }

    /// See ``ChannelStore/entries(of:from:through:maximumBytes:)``.
    package func entries(
        of channel: ChannelID, from first: UInt64, through last: UInt64, maximumBytes: Int
    ) -> [Entry] {
        guard let channel = channels[channel] else { return [] }
        var batch: [Entry] = []
        var bytes = 0
        for entry in channel.entries(from: first, through: last) {
            bytes += entry.payload.count
            if bytes > maximumBytes && !batch.isEmpty { break }
            batch.append(entry)
        }
        return batch
    }

    /// See ``ChannelStore/entryIDs(of:receivedSinceMs:)``.
    package func entryIDs(of channel: ChannelID, receivedSinceMs: UInt64) -> [(id: EntryID, seq: UInt64)] {
        guard let channel = channels[channel] else { return [] }
        return channel.entries.filter { $0.receivedAtMs >= receivedSinceMs }.map { ($0.id, $0.seq) }
    }

    /// See ``ChannelStore/shelf(of:)``.
    package func shelf(of channel: ChannelID) -> KeyPackageShelf { channels[channel]?.shelf ?? KeyPackageShelf() }

    /// See ``ChannelStore/record(under:)``.
    package func record(under name: Name) -> StoredName? { records[name] }

    /// See ``ChannelStore/commit(_:)``.
    package func commit(_ mutations: [StoreMutation]) -> [StoreOutcome] {
        mutations.map { apply($0) ? .committed : .conflict }
    }

    /// See ``ChannelStore/expire(nowMs:)``.
    package func expire(nowMs: UInt64) -> [(channel: ChannelID, firstSeq: UInt64)] {
        var trimmed: [(channel: ChannelID, firstSeq: UInt64)] = []
        for (id, channel) in channels {
            let kept = channel.entries.first {
                !channel.head.isExpired(receivedAtMs: $0.receivedAtMs, nowMs: nowMs)
            }
            let firstSeq = kept?.seq ?? channel.head.lastSeq + 1
            if firstSeq > channel.head.firstSeq {
                channels[id]?.trim(to: firstSeq)
                trimmed.append((id, firstSeq))
            }
        }
        return trimmed
    }

    /// See ``ChannelStore/idleChannels(usedBeforeMs:longUsedBeforeMs:)``.
    package func idleChannels(usedBeforeMs: UInt64, longUsedBeforeMs: UInt64) -> [ChannelID] {
        let idle = channels.filter { _, channel in
            let before = channel.head.isInLongUse ? longUsedBeforeMs : usedBeforeMs
            return channel.head.usedMs < before && !channel.head.hasEntries
        }
        return Array(idle.keys.prefix(StoreLimits.idleChannelsPerRead))
    }

    /// See ``ChannelStore/discard(keyPackagesBeforeMs:namesBeforeMs:)``.
    package func discard(keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64) -> Bool {
        for id in channels.keys { channels[id]?.discardPackages(beforeMs: keyPackagesBeforeMs) }
        records = records.filter { $0.value.renewedMs >= namesBeforeMs }
        return false
    }

    /// See ``ChannelStore/notedClock()``.
    package func notedClock() -> NotedClock? { clock }

    /// See ``ChannelStore/space()``. Counts only payloads, key packages and records, and always reports free space.
    package func space() -> StoreSpace {
        let bytes = channels.values.reduce(0) { $0 + $1.bytes }
        return StoreSpace(usedBytes: bytes, freeBytes: .max / 2)
    }

    /// See ``ChannelStore/statistics()``.
    package func statistics() -> StoreStatistics {
        var statistics = StoreStatistics(
            channels: 0, entries: 0, keyPackages: 0, names: UInt64(records.count), diskBytes: 0)
        for channel in channels.values where !channel.head.isClosed {
            statistics.channels += 1
            statistics.entries += UInt64(channel.entries.count)
            statistics.keyPackages += UInt64(channel.packages.count) + (channel.lastResort == nil ? 0 : 1)
        }
        return statistics
    }

    /// See ``ChannelStore/close()``.
    package func close() {}

    /// Returns whether the mutation took effect.
    private func apply(_ mutation: StoreMutation) -> Bool {
        switch mutation {
        case .create(let id, let kind, let access, let retentionSeconds, let atMs):
            guard channels[id] == nil else { return false }
            channels[id] = MemoryChannel(
                head: ChannelHead(created: access, kind: kind, retentionSeconds: retentionSeconds, atMs: atMs))
            return true
        case .append(let id, let entry, let nextAccess):
            return channels[id]?.append(entry, nextAccess: nextAccess) ?? false
        case .close(let id, let lastSeq):
            return channels[id]?.close(lastSeq: lastSeq) ?? false
        case .trim(let id, let firstSeq):
            guard let channel = channels[id], channel.head.canTrim(to: firstSeq) else { return false }
            channels[id]?.trim(to: firstSeq)
            return true
        case .deposit(let id, let keyPackages, let lastResort, let shelfVersion, let atMs):
            guard channels[id]?.shelfVersion == shelfVersion else { return false }
            return channels[id]?.deposit(keyPackages, lastResort: lastResort, atMs: atMs) ?? false
        case .withdraw(let id, let position, let shelfVersion):
            return channels[id]?.withdraw(position: position, shelfVersion: shelfVersion) ?? false
        case .register(let record, let replacing, let atMs):
            guard records[record.name]?.record.version == replacing else { return false }
            records[record.name] = StoredName(record: record, renewedMs: atMs)
            return true
        case .use(let id, let atMs):
            channels[id]?.head.usedMs = atMs
            return channels[id] != nil
        case .forget(let id, let usedMs):
            guard let head = channels[id]?.head, head.usedMs == usedMs, !head.hasEntries else { return false }
            channels[id] = nil
            return true
        case .dropName(let name):
            return records.removeValue(forKey: name) != nil
        case .noteClock(let clock):
            self.clock = clock
            return true
        }
    }
}

/// One channel with its entries, epochs and key packages.
private struct MemoryChannel {
    var head: ChannelHead
    var epochs: [UInt64: EpochRecord]
    /// The entries from `head.firstSeq` through `head.lastSeq`.
    var entries: [Entry] = []
    var packages: [KeyPackageShelf.Item] = []
    /// Deposit times of the packages, in milliseconds since 1970, by position.
    var depositedMs: [UInt64: UInt64] = [:]
    var lastResort: KeyPackageBytes?
    var shelfVersion: UInt64 = 0
    var nextPosition: UInt64 = 1

    /// Creates a new channel.
    init(head: ChannelHead) {
        self.head = head
        epochs = [0: EpochRecord(access: head.access, firstSeq: 1, lastSeq: nil)]
    }

    var shelf: KeyPackageShelf {
        KeyPackageShelf(version: shelfVersion, count: packages.count, next: packages.first, lastResort: lastResort)
    }

    func entries(from first: UInt64, through last: UInt64) -> ArraySlice<Entry> {
        let first = max(first, head.firstSeq)
        let last = min(last, head.lastSeq)
        guard first <= last else { return [] }
        return entries[Int(first - head.firstSeq)...Int(last - head.firstSeq)]
    }

    mutating func append(_ entry: Entry, nextAccess: Access?) -> Bool {
        let before = head
        guard head.append(entry, nextAccess: nextAccess) else { return false }
        entries.append(entry)
        if let nextAccess {
            epochs[before.epoch] = EpochRecord(
                access: before.access, firstSeq: before.epochFirstSeq, lastSeq: entry.seq)
            epochs[head.epoch] = EpochRecord(access: nextAccess, firstSeq: entry.seq + 1, lastSeq: nil)
        }
        return true
    }

    mutating func close(lastSeq: UInt64) -> Bool {
        guard head.close(lastSeq: lastSeq) else { return false }
        epochs = epochs.filter { $0.key == head.epoch }
        entries = []
        packages = []
        lastResort = nil
        shelfVersion = 0
        return true
    }

    mutating func trim(to firstSeq: UInt64) {
        guard firstSeq > head.firstSeq else { return }
        let count = Int(firstSeq - head.firstSeq)
        let bytes = entries.prefix(count).reduce(0) { $0 + UInt64($1.payload.count) }
        entries.removeFirst(count)
        head.trim(to: firstSeq, droppedBytes: bytes)
        epochs = epochs.filter { head.keepsEpoch($0.key, lastSeq: $0.value.lastSeq) }
    }

    mutating func deposit(_ keyPackages: [KeyPackageBytes], lastResort: KeyPackageBytes?, atMs: UInt64) -> Bool {
        guard !head.isClosed else { return false }
        for bytes in keyPackages {
            packages.append(KeyPackageShelf.Item(position: nextPosition, bytes: bytes))
            depositedMs[nextPosition] = atMs
            nextPosition += 1
        }
        if let lastResort { self.lastResort = lastResort }
        shelfVersion += 1
        return true
    }

    mutating func discardPackages(beforeMs: UInt64) {
        packages.removeAll { (depositedMs[$0.position] ?? 0) < beforeMs }
    }

    var bytes: UInt64 { head.payloadBytes + packages.reduce(0) { $0 + UInt64($1.bytes.bytes.count) } }

    mutating func withdraw(position: UInt64, shelfVersion: UInt64) -> Bool {
        guard !head.isClosed, self.shelfVersion == shelfVersion, packages.first?.position == position else {
            return false
        }
        packages.removeFirst()
        self.shelfVersion += 1
        return true
    }
}
