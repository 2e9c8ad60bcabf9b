import Glibc
import KithWire

/// Ages and room.
extension SQLiteStore {
    /// See ``ChannelStore/idleChannels(usedBeforeMs:)``.
    public func idleChannels(usedBeforeMs: UInt64) async throws(StoreFailure) -> [ChannelID] {
        try await reader.read { (reader) throws(StoreFailure) in try reader.idleChannels(usedBeforeMs: usedBeforeMs) }
    }

    /// See ``ChannelStore/discard(keyPackagesBeforeMs:namesBeforeMs:)``.
    public func discard(
        keyPackagesBeforeMs: UInt64, namesBeforeMs: UInt64
    ) async throws(StoreFailure) -> Bool {
        try openWriter().discard(keyPackagesBeforeMs: keyPackagesBeforeMs, namesBeforeMs: namesBeforeMs)
    }

    /// See ``ChannelStore/notedClockMs()``.
    public func notedClockMs() async throws(StoreFailure) -> UInt64? {
        let noted = try openWriter().connection.number("SELECT clock_ms FROM store")
        // What is damaged was not noted.
        return noted == 0 || noted ?? 0 > UInt64(Int64.max) ? nil : noted
    }

    /// See ``ChannelStore/space()``.
    public func space() async throws(StoreFailure) -> StoreSpace {
        let connection = try openWriter().connection
        let pages = try connection.number("PRAGMA page_count") ?? 0
        let free = min(pages, try connection.number("PRAGMA freelist_count") ?? 0)
        let pageBytes = UInt64(StoreLimits.pageBytes)
        var status = statvfs()
        guard statvfs(folder.path, &status) == 0 else { throw .io(String(cString: strerror(errno))) }
        return StoreSpace(
            usedBytes: (pages - free) * pageBytes + StoreFolder.size(of: folder.log),
            freeBytes: UInt64(status.f_bavail) * UInt64(status.f_frsize) + free * pageBytes)
    }
}
