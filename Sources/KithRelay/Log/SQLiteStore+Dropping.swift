import KithWire
import NIOCore

/// Removes channels and names on behalf of the operator, while no relay uses the store.
extension SQLiteStore {
    /// Opens an existing store.
    ///
    /// - Parameters:
    ///   - folder: the path of the store's folder.
    ///   - eventLoop: the event loop on which the store runs. The event loop's thread waits for the disk.
    /// - Throws: ``StoreOpenError``, also if the folder has no store.
    package init(existingIn folder: String, eventLoop: any EventLoop) throws(StoreOpenError) {
        guard StoreFolder.size(of: StoreFolder(path: folder).database) > 0 else {
            throw .missing(folder: folder)
        }
        try self.init(folder: folder, eventLoop: eventLoop)
    }

    /// Returns at most two of the channels whose ids begin with `prefix`. Two channels are enough to see that the prefix is
    /// ambiguous.
    package func channels(beginningWith prefix: [UInt8]) async throws(StoreFailure) -> [ChannelID] {
        try await reader.read { (reader) throws(StoreFailure) in try reader.channels(beginningWith: prefix) }
    }

    /// Closes a channel and deletes its data. Returns `false` if the channel is already closed or never existed.
    package func drop(_ channel: ChannelID) async throws(StoreFailure) -> Bool {
        guard let head = try await head(of: channel), !head.isClosed else { return false }
        try succeed(commit([.close(channel: channel, lastSeq: head.lastSeq)]))
        // The deferred rows are deleted now. Otherwise they would stay until a relay runs next.
        try finishMaintenance()
        return true
    }

    /// Does all deferred work: deletes the rows of dropped channels, and writes the heads.
    func finishMaintenance() throws(StoreFailure) { while try openWriter().performMaintenance() {} }

    /// Deletes the record under a name. Returns `false` if the name has no record.
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
