/// The files in the profile's folder that a store names. No value in the store needs any other file in the folder.
package enum StoredFiles {
    /// Number of rows that are read at once. A read of this many rows delays other reads of the store only for a moment.
    private static let page = 500

    /// Returns the numbers of all files that may lie in the folder. Damaged values are skipped.
    package static func all(in store: any ProfileStore) throws(StoreError) -> Set<TransferID> {
        var known: Set<TransferID> = []
        // A file moves from table to table in this order, so no read can miss it.
        for row in try store.allRows(.request) {
            if let bytes = row.bytes, case .send(_, _, _, let files)? = try? FileRequest(stored: bytes) {
                known.formUnion(files.spools)
            }
        }
        for row in try store.allRows(.upload) {
            if let bytes = row.bytes, let record = try? UploadRecord(stored: bytes) {
                known.formUnion(record.files.spools)
            }
        }
        for row in try store.allRows(.download) { known.insert(TransferID(rawValue: row.item)) }
        for conversation in try store.allRows(.conversation) {
            var first: UInt64 = 0
            while true {
                let rows = try store.rows(
                    .file, owner: conversation.item, items: first...StoreKey.highest, limit: page, newestFirst: false)
                known.formUnion(rows.compactMap(\.keptFile))
                guard rows.count == page, let last = rows.last?.item, last < StoreKey.highest else { break }
                first = last + 1
            }
        }
        return known
    }
}
