import KithWire

/// The rows of a ``FileBlobStore``, one for each blob.
struct BlobTable {
    let connection: SQLiteConnection

    /// "KiBl" in ASCII.
    private static let applicationID: UInt64 = 0x4b69_426c
    private static let version: UInt64 = 1

    /// Opens the table's file. Creates the table if the file is empty.
    static func open(_ path: String) throws(StoreOpenError) -> SQLiteConnection {
        do throws(StoreFailure) {
            let connection = try SQLiteConnection(path: path, mode: .readWrite)
            let found = try connection.number("PRAGMA user_version") ?? 0
            let isEmpty = try connection.number("SELECT count(*) FROM sqlite_schema") == 0
            let application = try connection.number("PRAGMA application_id")
            guard isEmpty || application == applicationID else {
                throw .damaged("the file is no table of blobs")
            }
            guard found <= version else { throw .damaged("a newer version of Kith has written the table of blobs") }
            try connection.execute("PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON")
            if isEmpty {
                try connection.execute(
                    """
                    BEGIN IMMEDIATE;
                    -- stored: the bytes of the file that are durable. expires_ms is 0 while the blob is being deleted.
                    CREATE TABLE blob (
                        id BLOB PRIMARY KEY, read_grant BLOB NOT NULL, write_grant BLOB NOT NULL, size INTEGER NOT NULL,
                        stored INTEGER NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
                        upload_ends_ms INTEGER NOT NULL) WITHOUT ROWID;
                    CREATE INDEX blob_expires ON blob (expires_ms);
                    CREATE INDEX blob_incomplete ON blob (upload_ends_ms) WHERE stored < size;
                    PRAGMA application_id = \(applicationID);
                    PRAGMA user_version = \(version);
                    COMMIT;
                    """)
            }
            return connection
        } catch {
            throw StoreOpenError(error, file: path)
        }
    }

    func record(of id: BlobID) throws(StoreFailure) -> BlobRecord? {
        let statement = try connection.statement(
            """
            SELECT read_grant, write_grant, size, stored, created_ms, expires_ms, upload_ends_ms FROM blob
            WHERE id = ? AND expires_ms > 0
            """)
        statement.bind(id.bytes, at: 1)
        guard try statement.next() else { return nil }
        defer { statement.reset() }
        guard let read = Grant(statement.bytes(0)), let write = Grant(statement.bytes(1)) else {
            throw .damaged("a grant of a blob has not 32 bytes")
        }
        let (size, stored) = (try statement.count(2), try statement.count(3))
        guard stored <= size else { throw .damaged("a blob has more bytes than its size") }
        let times = BlobTimes(
            createdMs: statement.uint64(4), expiresMs: statement.uint64(5), uploadEndsMs: statement.uint64(6))
        return BlobRecord(
            read: read, write: write,
            status: BlobStatus(stored: stored, size: size, expiresMs: times.expiresMs), times: times)
    }

    func insert(_ blob: NewBlob, _ times: BlobTimes) throws(StoreFailure) {
        try durably()
        let statement = try connection.statement("INSERT INTO blob VALUES (?, ?, ?, ?, 0, ?, ?, ?)")
        statement.bind(blob.id.bytes, at: 1)
        statement.bind(blob.read.bytes, at: 2)
        statement.bind(blob.write.bytes, at: 3)
        statement.bind(blob.size, at: 4)
        statement.bind(times.createdMs, at: 5)
        statement.bind(times.expiresMs, at: 6)
        statement.bind(times.uploadEndsMs, at: 7)
        try statement.run()
    }

    /// Notes the number of durable bytes. If the blob is incomplete, a power cut may undo the note. If the note is lost, the
    /// client uploads the bytes again.
    func setStored(_ stored: UInt64, of id: BlobID, isComplete: Bool) throws(StoreFailure) {
        if isComplete { try durably() } else { try connection.execute("PRAGMA synchronous = NORMAL") }
        let statement = try connection.statement("UPDATE blob SET stored = ? WHERE id = ?")
        statement.bind(stored, at: 1)
        statement.bind(id.bytes, at: 2)
        try statement.run()
    }

    /// Notes that the blob's file is being deleted. From now on, ``record(of:)`` does not find the blob.
    func beginDeletion(of id: BlobID) throws(StoreFailure) {
        try durably()
        let statement = try connection.statement("UPDATE blob SET expires_ms = 0 WHERE id = ?")
        statement.bind(id.bytes, at: 1)
        try statement.run()
    }

    func remove(_ id: BlobID) throws(StoreFailure) {
        try durably()
        let statement = try connection.statement("DELETE FROM blob WHERE id = ?")
        statement.bind(id.bytes, at: 1)
        try statement.run()
    }

    /// Returns the ids of blobs whose time is over or whose deletion has begun: the first `count` such ids after `id`.
    func due(nowMs: UInt64, after id: BlobID?, atMost count: Int) throws(StoreFailure) -> [BlobID] {
        // The `+` sign keeps SQLite from using the primary key, which would read every later row.
        let statement = try connection.statement(
            """
            SELECT id FROM blob WHERE expires_ms <= ?1 AND +id > ?3
            UNION SELECT id FROM blob WHERE stored < size AND upload_ends_ms <= ?1 AND +id > ?3
            ORDER BY id LIMIT ?2
            """)
        statement.bind(nowMs, at: 1)
        statement.bind(UInt64(count), at: 2)
        statement.bind(id?.bytes ?? [], at: 3)
        return try ids(of: statement)
    }

    private func ids(of statement: SQLiteStatement) throws(StoreFailure) -> [BlobID] {
        var ids: [BlobID] = []
        while try statement.next() {
            guard let id = BlobID(statement.bytes(0)) else { throw .damaged("the id of a blob has not 32 bytes") }
            ids.append(id)
        }
        return ids
    }

    /// Returns the blob with the next id after `id`. If `id` is `nil`, returns the first blob. Callers use this function to read
    /// all blobs one by one.
    func next(after id: BlobID?) throws(StoreFailure) -> (BlobID, BlobRecord)? {
        let statement = try connection.statement(
            "SELECT id FROM blob WHERE id > ? AND expires_ms > 0 ORDER BY id LIMIT 1")
        statement.bind(id?.bytes ?? [], at: 1)
        guard let id = try ids(of: statement).first, let record = try record(of: id) else { return nil }
        return (id, record)
    }

    /// Returns the size of a blob and the number of its durable bytes; `nil` if the blob has no row. Also finds a blob whose
    /// deletion has begun.
    func extent(of id: BlobID) throws(StoreFailure) -> (size: UInt64, stored: UInt64)? {
        let statement = try connection.statement("SELECT size, stored FROM blob WHERE id = ?")
        statement.bind(id.bytes, at: 1)
        guard try statement.next() else { return nil }
        defer { statement.reset() }
        return (try statement.count(0), try statement.count(1))
    }

    func totals() throws(StoreFailure) -> BlobStatistics {
        BlobStatistics(
            count: Int(clamping: try connection.number("SELECT count(*) FROM blob") ?? 0),
            bytes: try connection.number("SELECT coalesce(sum(max(size, \(BlobLimits.leastCharge))), 0) FROM blob") ?? 0
        )
    }

    /// The sum of the durable bytes of all blobs.
    func storedBytes() throws(StoreFailure) -> UInt64 {
        try connection.number("SELECT coalesce(sum(stored), 0) FROM blob") ?? 0
    }

    /// Makes the next commit survive a power cut.
    private func durably() throws(StoreFailure) { try connection.execute("PRAGMA synchronous = FULL") }
}
