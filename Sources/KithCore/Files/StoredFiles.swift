/// The files in the profile's folder that a store names. All other files in the folder are left over.
package enum StoredFiles {
    /// Returns the numbers of all files that may lie in the folder. A damaged value names no file.
    package static func all(in store: any ProfileStore) throws(StoreError) -> Set<TransferID> {
        var known: Set<TransferID> = []
        func add(_ files: OutgoingFiles) {
            for file in files.files { if case .source(.spool(let id, _), _) = file.content { known.insert(id) } }
        }
        for row in try store.allRows(.request) {
            if let bytes = row.bytes, case .send(_, _, _, let files)? = try? FileRequest(stored: bytes) { add(files) }
        }
        for row in try store.allRows(.upload) {
            if let bytes = row.bytes, let record = try? UploadRecord(stored: bytes) { add(record.files) }
        }
        for row in try store.allRows(.download) { known.insert(TransferID(rawValue: row.item)) }
        for row in try store.allRows(.file) {
            if let bytes = row.bytes, let kept = try? KeptFile(stored: bytes) { known.insert(kept.id) }
        }
        return known
    }
}
