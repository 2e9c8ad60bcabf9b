import KithWire

/// Expiry, the noted clock, and disk space.
extension SQLiteStore {
    /// See ``ChannelStore/idleChannels(usedBeforeMs:longUsedBeforeMs:)``.
    package func idleChannels(
        usedBeforeMs: UInt64, longUsedBeforeMs: UInt64
    ) async throws(StoreFailure) -> [ChannelID] {
        try await reader.read { (reader) throws(StoreFailure) in
            let brief = try reader.idleChannels(usedBeforeMs: usedBeforeMs, "AND \(StoreSchema.isBrief)")
            return brief.isEmpty ? try reader.idleChannels(usedBeforeMs: longUsedBeforeMs) : brief
        }
    }

    /// See ``ChannelStore/discard(keyPackagesBeforeMs:namesBeforeMs:)``.
    package func discard(
        keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64
    ) async throws(StoreFailure) -> Bool {
        try openWriter().discard(keyPackagesBeforeMs: keyPackagesBeforeMs, namesBeforeMs: namesBeforeMs)
    }

    /// See ``ChannelStore/notedClock()``. A damaged time counts as missing.
    package func notedClock() async throws(StoreFailure) -> NotedClock? {
        let row = try openWriter().connection.statement("SELECT clock_ms, doubted_ms, doubt_ran_ms FROM store")
        defer { row.reset() }
        func isTime(_ ms: UInt64) -> Bool { (1...StoreLimits.latestMs).contains(ms) }
        guard try row.next(), isTime(row.uint64(0)) else { return nil }
        let (wallMs, ranMs) = (row.uint64(1), row.uint64(2))
        let isDoubt = isTime(wallMs) && ranMs <= StoreLimits.latestMs
        return NotedClock(
            timeMs: row.uint64(0), doubt: isDoubt ? NotedClock.Doubt(wallMs: wallMs, ranMs: ranMs) : nil)
    }

    /// See ``ChannelStore/space()``.
    package func space() async throws(StoreFailure) -> StoreSpace {
        let connection = try openWriter().connection
        let pages = try connection.number("PRAGMA page_count") ?? 0
        let free = min(pages, try connection.number("PRAGMA freelist_count") ?? 0)
        let pageBytes = UInt64(StoreLimits.pageBytes)
        let diskBytes = try StoreFolder.freeDiskBytes(at: folder.path)
        return StoreSpace(
            usedBytes: (pages - free) * pageBytes + StoreFolder.size(of: folder.wal),
            freeBytes: diskBytes + free * pageBytes)
    }
}
