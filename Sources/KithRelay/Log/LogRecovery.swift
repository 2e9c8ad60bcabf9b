/// When the relay starts, updates the heads from the entries that the last finished sweep did not cover.
struct LogRecovery {
    let relayID: [UInt8]
    private(set) var totals: StoreTotals
    /// The highest position that an entry ever had.
    private(set) var lastPosition: UInt64

    /// Reads the log from the position that the last finished sweep noted. Then writes the heads in one transaction.
    init(_ connection: SQLiteConnection) throws(StoreFailure) {
        let store = try connection.prepare(
            """
            SELECT relay_id, heads_through, counted_through, channels, entries, key_packages, names FROM store
            """)
        guard try store.next() else { throw .damaged("the store's own row is missing") }
        relayID = store.bytes(0)
        guard relayID.count == 16 else { throw .damaged("the relay's id has the wrong length") }
        let (headsThrough, countedThrough) = (try store.count(1), try store.count(2))
        totals = StoreTotals(
            channels: try store.count(3), entries: try store.count(4), keyPackages: try store.count(5),
            names: try store.count(6))
        store.reset()
        lastPosition = max(headsThrough, countedThrough)

        let (ends, unreadable) = try LogEnd.all(in: connection, after: headsThrough)
        // Unreadable entries count too, so that no position is used twice.
        lastPosition = max(
            lastPosition, try connection.number("SELECT max(0, coalesce(max(position), 0)) FROM entry") ?? 0)
        let uncounted = try connection.prepare("SELECT count(*) FROM entry WHERE position > ?")
        uncounted.bind(countedThrough, at: 1)
        if try uncounted.next() { totals.entries += uncounted.uint64(0) }
        uncounted.reset()
        if !ends.isEmpty || !unreadable.isEmpty { try write(ends, unreadable, connection) }
    }

    private func write(
        _ ends: [UInt64: LogEnd], _ unreadable: Set<UInt64>, _ connection: SQLiteConnection
    ) throws(StoreFailure) {
        let head = try connection.prepare(
            """
            INSERT INTO channel_head VALUES (?1, 1, ?2, ?3, ?4, 0, 0)
            ON CONFLICT (channel) DO UPDATE SET last_seq = ?2, last_position = ?3, total_bytes = ?4,
                due_ms = CASE WHEN first_seq > last_seq THEN 0 ELSE due_ms END
            WHERE last_seq < ?2
            """)
        do throws(StoreFailure) {
            try connection.execute("BEGIN IMMEDIATE")
            for (channel, end) in ends.sorted(by: { $0.key < $1.key }) {
                head.bind(channel, at: 1)
                head.bind(end.seq, at: 2)
                head.bind(end.position, at: 3)
                head.bind(end.totalBytes, at: 4)
                try head.run()
            }
            for channel in unreadable { try markDamaged(channel, connection) }
            let store = try connection.prepare(
                "UPDATE store SET heads_through = ?1, counted_through = ?1, entries = ?2")
            store.bind(lastPosition, at: 1)
            store.bind(totals.entries, at: 2)
            try store.run()
            try connection.execute("COMMIT")
        } catch {
            connection.rollback()
            throw error
        }
    }

    /// Marks a channel's head as damaged. Called if the channel's last entry cannot be read. The unreadable entry was
    /// acknowledged, so its seq must not be given to a new entry.
    private func markDamaged(_ channel: UInt64, _ connection: SQLiteConnection) throws(StoreFailure) {
        let head = try connection.prepare(
            """
            INSERT INTO channel_head VALUES (?1, 1, 0, 0, -1, 0, 0) ON CONFLICT (channel) DO UPDATE SET total_bytes = -1
            """)
        head.bind(channel, at: 1)
        try head.run()
    }
}
