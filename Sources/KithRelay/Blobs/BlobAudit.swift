import KithSupport
import KithWire

/// Reads the rows and the file sizes of a ``FileBlobStore``. A relay may use the store during the audit.
struct BlobAudit {
    private let folder: BlobFolder
    private let table: BlobTable

    /// - Parameter isLocked: whether no relay runs and no relay can start.
    /// - Returns: `nil` if the relay never kept blobs.
    init?(folder: BlobFolder, isLocked: Bool) throws(StoreFailure) {
        guard StoreFolder.exists(folder.table) else { return nil }
        self.folder = folder
        table = BlobTable(
            connection: try SQLiteConnection(path: folder.table, mode: .audit(of: folder.table, isLocked: isLocked)))
    }

    func forEachRow(_ body: (AuditRow) throws -> Void) throws {
        var last: BlobID?
        while let (id, record) = try table.next(after: last) {
            last = id
            let file = folder.file(of: id)
            try body(
                .blob(
                    AuditRow.BlobRow(
                        id: Hex.encode(id.bytes.prefix(4)), size: record.status.size, stored: record.status.stored,
                        fileBytes: StoreFolder.exists(file) ? StoreFolder.size(of: file) : nil,
                        createdMs: record.times.createdMs, expiresMs: record.times.expiresMs,
                        readTokenHash: Hex.encode(record.read.bytes), writeTokenHash: Hex.encode(record.write.bytes))))
        }
    }
}
