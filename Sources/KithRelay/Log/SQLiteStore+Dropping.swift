import KithWire
import NIOCore

/// Removal by the operator, while no relay runs on the store.
extension SQLiteStore {
    /// Opens the existing store in a folder.
    ///
    /// - Parameters:
    ///   - folder: the folder's path.
    ///   - eventLoop: the event loop that the store runs on. Its thread waits for the disk.
    /// - Throws: ``StoreOpenError``, also if there is no store.
    package init(existingIn folder: String, eventLoop: any EventLoop) throws(StoreOpenError) {
        guard StoreFolder.size(of: StoreFolder(path: folder).database) > 0 else {
            throw .missing(folder: folder)
        }
        try self.init(folder: folder, eventLoop: eventLoop)
    }

    /// The channels whose ids begin with these bytes; two at most, which is enough to see that the prefix is ambiguous.
    package func channels(beginningWith prefix: [UInt8]) async throws(StoreFailure) -> [ChannelID] {
        try await reader.read { (reader) throws(StoreFailure) in try reader.channels(beginningWith: prefix) }
    }

    /// Closes a channel and deletes its data. Returns `false` if the channel is closed already or never existed.
    package func drop(_ channel: ChannelID) async throws(StoreFailure) -> Bool {
        guard let head = try await head(of: channel), !head.isClosed else { return false }
        try succeed(commit([.close(channel: channel, lastSeq: head.lastSeq)]))
        // Deletes the deferred rows now, not when a relay runs next.
        try finishMaintenance()
        return true
    }

    /// Does all deferred work: rows of deleted channels are removed, and heads are stored.
    func finishMaintenance() throws(StoreFailure) { while try openWriter().performMaintenance() {} }

    /// Deletes the record under a name. Returns `false` if there is none.
    package func drop(_ name: Name) async throws(StoreFailure) -> Bool {
        guard try await record(under: name) != nil else { return false }
        try succeed(commit([.dropName(name)]))
        return true
    }

    private func succeed(_ outcomes: [StoreOutcome]) throws(StoreFailure) {
        for case .failed(let failure) in outcomes { throw failure }
        guard outcomes == [.committed] else { throw .io("the store changed meanwhile") }
    }
}

extension LogReader {
    func channels(beginningWith prefix: [UInt8]) throws(StoreFailure) -> [ChannelID] {
        let row = try connection.statement("SELECT id FROM channel WHERE id >= ? ORDER BY id LIMIT 2")
        row.bind(prefix, at: 1)
        defer { row.reset() }
        var found: [ChannelID] = []
        while try row.next() {
            guard let id = ChannelID(row.bytes(0)) else { throw .damaged("a channel's id has the wrong length") }
            if id.bytes.starts(with: prefix) { found.append(id) }
        }
        return found
    }
}
