import KithWire

/// The tables of the file, their creation and their migration.
///
/// The table `entry` is the log. The rows of `entry` are in the order of the commits. Most appends write only one row, in
/// `entry`. Two more tables help to find entries. The rows of `channel_head` are written later (see ``HeadSweep``). A row of
/// `entry_block` is written only once for many entries (see ``EntryBlock``).
enum StoreSchema {
    /// "Kith" in ASCII. The number distinguishes the file from other SQLite files.
    static let applicationID: UInt64 = 0x4b69_7468
    /// The value of `user_version`. Each change of the tables raises the value and requires a migration.
    static let version: UInt64 = 4

    /// The condition of the index `channel_brief`: the opposite of ``ChannelHead/isInLongUse``.
    static let isBrief = "(closed OR used_ms - created_ms <= \(StoreLimits.longUseMs))"

    private static let tables = """
        -- One row. heads_through: channel_head includes the entry rows up to this position. The totals are those of the
        -- entry rows up to counted_through; no position up to it is ever used again. clock_ms: the last noted time of the
        -- relay; 0 if none was noted. doubted_ms, doubt_ran_ms: see NotedClock.Doubt; 0 if the clock is not doubted.
        CREATE TABLE store (
            one INTEGER PRIMARY KEY CHECK (one = 1), relay_id BLOB NOT NULL,
            heads_through INTEGER NOT NULL, counted_through INTEGER NOT NULL,
            channels INTEGER NOT NULL, entries INTEGER NOT NULL, key_packages INTEGER NOT NULL, names INTEGER NOT NULL,
            clock_ms INTEGER NOT NULL, doubted_ms INTEGER NOT NULL, doubt_ran_ms INTEGER NOT NULL);

        CREATE TABLE channel (
            number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, created_ms INTEGER NOT NULL,
            retention_s INTEGER NOT NULL, closed INTEGER NOT NULL, kind INTEGER NOT NULL,
            used_ms INTEGER NOT NULL);
        CREATE INDEX channel_used ON channel (used_ms);
        CREATE INDEX channel_brief ON channel (used_ms) WHERE \(isBrief);

        -- The ends of a channel; no row for a new one. due_ms: expiry time of the first kept entry; 0 if unknown.
        -- total_bytes and dropped_bytes count payloads since the channel was created.
        CREATE TABLE channel_head (
            channel INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
            last_position INTEGER NOT NULL, total_bytes INTEGER NOT NULL, dropped_bytes INTEGER NOT NULL,
            due_ms INTEGER NOT NULL);

        -- last_seq: the seq of the turn; NULL for the current epoch. The grants are hashes of tokens.
        CREATE TABLE epoch (
            channel INTEGER NOT NULL, epoch INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER,
            read_grant BLOB NOT NULL, append_grant BLOB NOT NULL, turn_grant BLOB NOT NULL,
            PRIMARY KEY (channel, epoch)) WITHOUT ROWID;

        -- previous: the position of the channel's previous entry; 0 for the first.
        -- total_bytes: the bytes of the channel's payloads through this one.
        CREATE TABLE entry (
            position INTEGER PRIMARY KEY, channel INTEGER NOT NULL, seq INTEGER NOT NULL, epoch INTEGER NOT NULL,
            kind INTEGER NOT NULL, received_ms INTEGER NOT NULL, previous INTEGER NOT NULL,
            total_bytes INTEGER NOT NULL, id BLOB NOT NULL, payload BLOB NOT NULL);

        CREATE TABLE entry_block (
            number INTEGER PRIMARY KEY, channel INTEGER NOT NULL, last_seq INTEGER NOT NULL,
            entry_references BLOB NOT NULL);
        CREATE UNIQUE INDEX entry_block_place ON entry_block (channel, last_seq);

        -- The entry rows of a channel from this seq to its first_seq are still to be deleted.
        CREATE TABLE dropped (channel INTEGER PRIMARY KEY, from_seq INTEGER NOT NULL);

        CREATE TABLE shelf (
            channel INTEGER PRIMARY KEY, version INTEGER NOT NULL, next_position INTEGER NOT NULL, last_resort BLOB);
        CREATE TABLE key_package (
            number INTEGER PRIMARY KEY, channel INTEGER NOT NULL, position INTEGER NOT NULL, bytes BLOB NOT NULL,
            deposited_ms INTEGER NOT NULL);
        CREATE UNIQUE INDEX key_package_place ON key_package (channel, position);
        CREATE INDEX key_package_deposited ON key_package (deposited_ms);

        CREATE TABLE name (
            name TEXT PRIMARY KEY, version INTEGER NOT NULL, record BLOB NOT NULL, renewed_ms INTEGER NOT NULL)
            WITHOUT ROWID;
        CREATE INDEX name_renewed ON name (renewed_ms);
        """

    /// The format of a SQLite file.
    enum Format: Equatable {
        case empty
        case known
        /// An earlier version, which the writer migrates.
        case older(UInt64)
        case foreign
        case newer(UInt64)
    }

    /// Opens the writer's connection. Creates the tables in an empty file, and migrates an older file.
    static func openWriter(_ folder: StoreFolder) throws(StoreOpenError) -> SQLiteConnection {
        let connection: SQLiteConnection
        let format: Format
        do throws(StoreFailure) {
            connection = try SQLiteConnection(path: folder.database, mode: .readWrite)
            format = try self.format(of: connection)
        } catch {
            throw StoreOpenError(error, file: folder.database)
        }
        if let refusal = refusal(of: format, folder) { throw refusal }
        do throws(StoreFailure) {
            if format == .empty { try connection.execute("PRAGMA page_size = \(StoreLimits.pageBytes)") }
            // SQLite recommends synchronous = NORMAL for WAL, but that may lose the last commits in a power cut. Deleted payloads
            // are overwritten (secure_delete). The payloads are ciphertext, but if they stayed in free pages, they could be
            // decrypted after a key has leaked. Overwriting does not make appends slower.
            try connection.execute(
                """
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA wal_autocheckpoint = 0;
                PRAGMA secure_delete = ON;
                PRAGMA cache_size = -\(StoreLimits.writerCacheKiB);
                """)
            if format == .empty { try create(connection) }
            if case .older(let found) = format { try migrate(connection, from: found) }
            return connection
        } catch {
            throw StoreOpenError(error, file: folder.database)
        }
    }

    /// Opens a connection that only reads. The file must have tables.
    static func openReader(_ folder: StoreFolder) throws(StoreFailure) -> SQLiteConnection {
        let connection = try SQLiteConnection(path: folder.database, mode: .readOnly)
        try connection.execute("PRAGMA cache_size = -\(StoreLimits.readerCacheKiB)")
        return connection
    }

    /// Opens a connection that only copies the write-ahead log into the database. The file must have tables.
    static func openCheckpointer(_ folder: StoreFolder) throws(StoreFailure) -> SQLiteConnection {
        let connection = try SQLiteConnection(path: folder.database, mode: .readWrite)
        // Without a first read, the connection would not know of the log and would copy nothing.
        _ = try format(of: connection)
        return connection
    }

    /// Returns the format of the file, without changing the file.
    static func format(of connection: SQLiteConnection) throws(StoreFailure) -> Format {
        let version = try connection.number("PRAGMA user_version") ?? 0
        if try connection.number("PRAGMA application_id") == applicationID {
            if version == self.version { return .known }
            return version < self.version ? .older(version) : .newer(version)
        }
        return try connection.number("SELECT count(*) FROM sqlite_schema") == 0 ? .empty : .foreign
    }

    /// Returns the error for a format that cannot be opened; `nil` for a format that the writer can open.
    static func refusal(of format: Format, _ folder: StoreFolder) -> StoreOpenError? {
        switch format {
        case .empty, .known, .older: nil
        case .foreign: .foreign(file: folder.database)
        case .newer(let found): .newerVersion(file: folder.database, version: found, known: version)
        }
    }

    /// Migrates the tables from an earlier version, in one transaction.
    private static func migrate(_ connection: SQLiteConnection, from found: UInt64) throws(StoreFailure) {
        try connection.execute("BEGIN IMMEDIATE")
        do throws(StoreFailure) {
            if found < 2 { try connection.execute(kinds) }
            if found < 3 { try connection.execute(ages) }
            if found < 4 { try connection.execute(doubts) }
            try connection.execute("PRAGMA user_version = \(version); COMMIT")
        } catch {
            connection.rollback()
            throw error
        }
    }

    /// Version 2: a channel that has a shelf and never left epoch 0 becomes an inbox.
    private static let kinds = """
        ALTER TABLE channel ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
        UPDATE channel SET kind = 1 WHERE number IN (SELECT channel FROM shelf)
            AND NOT EXISTS (SELECT 1 FROM epoch WHERE epoch.channel = channel.number AND epoch.epoch > 0);
        """

    /// Version 3: rows without a time get the time of the migration.
    private static let ages = """
        ALTER TABLE store ADD COLUMN clock_ms INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE channel ADD COLUMN used_ms INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE key_package ADD COLUMN deposited_ms INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE name ADD COLUMN renewed_ms INTEGER NOT NULL DEFAULT 0;
        UPDATE channel SET used_ms = unixepoch() * 1000;
        UPDATE key_package SET deposited_ms = unixepoch() * 1000;
        UPDATE name SET renewed_ms = unixepoch() * 1000;
        CREATE INDEX channel_used ON channel (used_ms);
        CREATE INDEX name_renewed ON name (renewed_ms);
        """

    /// Version 4: columns for the doubt in the clock, and two indexes.
    private static let doubts = """
        CREATE INDEX channel_brief ON channel (used_ms) WHERE \(isBrief);
        CREATE INDEX key_package_deposited ON key_package (deposited_ms);
        ALTER TABLE store ADD COLUMN doubted_ms INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE store ADD COLUMN doubt_ran_ms INTEGER NOT NULL DEFAULT 0;
        """

    private static func create(_ connection: SQLiteConnection) throws(StoreFailure) {
        // This is one transaction. If the process is killed before its end, the file is empty, and the next start creates the
        // tables.
        try connection.execute("BEGIN IMMEDIATE")
        do throws(StoreFailure) {
            try connection.execute(tables)
            let statement = try connection.prepare("INSERT INTO store VALUES (1, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0)")
            statement.bind(EntryID.random().bytes, at: 1)
            try statement.run()
            try connection.execute("PRAGMA application_id = \(applicationID)")
            try connection.execute("PRAGMA user_version = \(version)")
            try connection.execute("COMMIT")
        } catch {
            connection.rollback()
            throw error
        }
    }
}
