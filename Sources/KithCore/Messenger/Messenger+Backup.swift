extension Messenger {
    /// The number of lines that are read at once.
    private static let backupPage = 1_000

    /// The records of a backup, one after the other: what others refer to first.
    package func eachBackupRecord(_ body: ([UInt8]) throws(KithError) -> Void) throws(KithError) {
        try eachRecord { (record) throws(KithError) in try body(record.encoded) }
    }

    func eachRecord(_ body: (BackupRecord) throws(KithError) -> Void) throws(KithError) {
        try body(.identity(account: profile.account, name: profile.name))
        for (id, point) in relays.sorted { try body(.relay(id, point)) }
        for contact in contactList { try body(.contact(contact)) }
        for (id, conversation) in conversations.sorted(by: { $0.key < $1.key }) {
            try body(.conversation(id, conversation.record))
            var first: UInt64 = 0
            while true {
                let rows = try entries(
                    of: id, first...StoreKey.highest, limit: Self.backupPage, newestFirst: false)
                for (seq, record) in rows {
                    if let record { try body(.entry(EntryPlace(conversation: id, seq: seq), record.encoded)) }
                }
                guard rows.count == Self.backupPage, let last = rows.last?.seq, last < StoreKey.highest else { break }
                first = last + 1
            }
        }
        for (place, expiry) in erasures.sorted where !expiry.isOver(wall: wall) { try body(.expiry(place, expiry)) }
        try eachCursorRecord(body)
    }
}
