import KithWire

// Reads entries of conversations with their marks, and hides expired texts. All code that shows or exports entries uses these
// functions.

extension DeviceState {
    /// Reads entries of a conversation. An entry that is damaged on the disk is returned without a record.
    mutating func entries(
        of id: ConversationID, _ seqs: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(KithError) -> [(seq: UInt64, record: EntryRecord?)] {
        let rows = try reading { () throws(StoreError) in
            try store.rows(.entry, owner: id.rawValue, items: seqs, limit: limit, newestFirst: newestFirst)
        }
        guard let first = rows.first?.item, let last = rows.last?.item else { return [] }
        let marked = try marks(of: id, min(first, last)...max(first, last))
        var entries: [(UInt64, EntryRecord?)] = []
        entries.reserveCapacity(rows.count)
        for row in rows {
            let place = EntryPlace(conversation: id, seq: row.item)
            let record = try unlessDamaged(place) { (device) throws(KithError) in
                guard let bytes = row.bytes else { throw .store(.damaged(.entry)) }
                return try device.entry(bytes, marked[row.item], at: place)
            }
            entries.append((row.item, record))
        }
        return entries
    }

    /// Returns an entry from the current step or the store; `nil` if there is none. If the entry has expired by the device's
    /// clock, its content is hidden.
    func entry(at place: EntryPlace) throws(KithError) -> EntryRecord? {
        guard let stored = try value(place.key) else { return nil }
        return try entry(stored, try value(place.marksKey), at: place)
    }

    /// Returns an entry with its content, even if ``entry(at:)`` hides the content. A change of a message must not depend on
    /// the device's clock: if the deletion of a hidden text were ignored, the text would be shown again after the clock was set
    /// back. If the entry is damaged, notes the damage and returns `nil`.
    mutating func changeableEntry(at place: EntryPlace) throws(KithError) -> EntryRecord? {
        try unlessDamaged(place) { (device) throws(KithError) in
            guard let stored = try device.value(place.key) else { return nil }
            return try device.whole(stored, try device.value(place.marksKey))
        }
    }

    /// Returns an entry like ``entry(at:)``. If the entry is damaged, notes the damage and returns `nil`.
    mutating func readableEntry(at place: EntryPlace) throws(KithError) -> EntryRecord? {
        try unlessDamaged(place) { (device) throws(KithError) in try device.entry(at: place) }
    }

    /// Reads an entry. If it is damaged, notes the damage and returns `nil`.
    private mutating func unlessDamaged(
        _ place: EntryPlace, _ read: (DeviceState) throws(KithError) -> EntryRecord?
    ) throws(KithError) -> EntryRecord? {
        do throws(KithError) {
            return try read(self)
        } catch {
            guard case .store(.damaged) = error else { throw error }
            damage.note(place)
            return nil
        }
    }

    /// Stores a message's marks.
    mutating func store(_ marks: MarksRecord, at place: EntryPlace) {
        if marks.isEmpty { step.delete(place.marksKey) } else { step.put(place.marksKey, marks.encoded) }
    }

    private func value(_ key: StoreKey) throws(KithError) -> [UInt8]? {
        if let pending = step.pending(key) { return pending }
        return try reading { () throws(StoreError) in try store.value(key) }
    }

    /// Returns the stored marks of messages, by seq. Damaged marks are left out, because a message without them is still useful.
    private func marks(of id: ConversationID, _ seqs: ClosedRange<UInt64>) throws(KithError) -> [UInt64: [UInt8]] {
        let rows = try reading { () throws(StoreError) in
            try store.rows(.marks, owner: id.rawValue, items: seqs, limit: .max, newestFirst: false)
        }
        var marks: [UInt64: [UInt8]] = [:]
        for row in rows { marks[row.item] = row.bytes }
        return marks
    }

    private func entry(_ stored: [UInt8], _ marks: [UInt8]?, at place: EntryPlace) throws(KithError) -> EntryRecord {
        var record = try whole(stored, marks)
        if try isHidden(record, at: place) {
            record.body = .expired
            record.marks = MarksRecord()
        }
        return record
    }

    private func whole(_ stored: [UInt8], _ marks: [UInt8]?) throws(KithError) -> EntryRecord {
        var record = try decodingStored(.entry) { try EntryRecord(stored: stored) }
        if let marks { record.marks = (try? MarksRecord(stored: marks)) ?? MarksRecord() }
        return record
    }

    /// Whether an entry has expired by the device's clock, so that it is not shown although it may still be on the disk.
    func isHidden(_ record: EntryRecord, at place: EntryPlace) throws(KithError) -> Bool {
        try expiry(of: record, at: place)?.isOver(wall: wall) ?? false
    }

    /// Returns the times at which a text is hidden and erased; `nil` if the text does not expire. If ``erasures`` does not
    /// contain the expiry, reads it from the store, because another process may have stored it after this process had loaded
    /// ``erasures``. The store has no expiry of a text whose kind was unknown to the version that received the
    /// text.
    private func expiry(of record: EntryRecord, at place: EntryPlace) throws(KithError) -> Expiry? {
        guard let seconds = record.expiresAfter, record.body.canExpire else { return nil }
        if let known = erasures[place] { return known }
        guard let stored = try reading({ () throws(StoreError) in try store.value(place.expiryKey) }) else {
            return Expiry(after: seconds, wall: record.receivedAtMs, relay: record.receivedAtMs)
        }
        return try decodingStored(.expiry) { try Expiry(stored: stored) }
    }

    /// Erases the texts that have expired by both the device's clock and the relay's clock, and reports each text.
    ///
    /// - Parameter relay: returns the relay of a conversation.
    mutating func eraseExpired(relay: (ConversationID) -> RelayID?) throws(KithError) {
        for place in erasures.removeDue(clocks, relay: relay, in: &step) {
            let record = try readableEntry(at: place)
            try erase(place, leaving: .expired, of: record)
            guard let record else { continue }
            emit(.messageChanged(record.erasedMessage(at: place, in: self), .expired))
        }
    }

    /// Replaces a message's content on the disk by `body`, and deletes the message's marks, files and expiry. A damaged entry
    /// is deleted. If the message is deleted for everyone or has expired, the relay deletes the blobs that this device has
    /// uploaded. If the message is deleted on this device only, the other members still need the blobs.
    ///
    /// - Parameter record: the entry; `nil` if it is damaged.
    mutating func erase(
        _ place: EntryPlace, leaving body: EntryRecord.Body, of record: EntryRecord?
    ) throws(KithError) {
        erasures.remove(place, in: &step)
        try forgetFiles(at: place)
        if var record {
            if body != .deletedHere { deleteAtRelay(record.blobs) }
            record.blobs = []
            record.body = body
            step.put(place.key, record.encoded)
        } else {
            step.delete(place.key)
        }
        step.delete(place.marksKey)
        step.erase()
    }
}
