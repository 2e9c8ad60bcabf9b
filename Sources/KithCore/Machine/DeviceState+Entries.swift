import KithWire

// Reads entries of conversations, and hides expired texts. All code that shows or exports entries uses these functions.

extension DeviceState {
    /// Reads entries of a conversation. An entry that is damaged on the disk is returned without a record.
    mutating func entries(
        of id: ConversationID, _ seqs: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(KithError) -> [(seq: UInt64, record: EntryRecord?)] {
        let rows = try reading { () throws(StoreError) in
            try store.rows(.entry, owner: id.rawValue, items: seqs, limit: limit, newestFirst: newestFirst)
        }
        var entries: [(UInt64, EntryRecord?)] = []
        entries.reserveCapacity(rows.count)
        for row in rows {
            let place = EntryPlace(conversation: id, seq: row.item)
            do throws(KithError) {
                guard let bytes = row.bytes else { throw .store(.damaged(.entry)) }
                entries.append((row.item, try entry(bytes, at: place)))
            } catch {
                guard case .store(.damaged) = error else { throw error }
                damage.note(place)
                entries.append((row.item, nil))
            }
        }
        return entries
    }

    private func entry(_ stored: [UInt8], at place: EntryPlace) throws(KithError) -> EntryRecord {
        var record = try decodingStored(.entry) { try EntryRecord(stored: stored) }
        if let expiry = try expiry(of: record, at: place), expiry.isOver(wall: wall) { record.body = .expired }
        return record
    }

    /// Returns the times at which a text is hidden and erased; `nil` if the text does not expire. Reads the store too, because
    /// another process may have stored the expiry after this process had loaded the schedule.
    private func expiry(of record: EntryRecord, at place: EntryPlace) throws(KithError) -> Expiry? {
        guard record.expiresAfter != nil, record.body.canExpire else { return nil }
        if let known = erasures[place] { return known }
        let key = StoreKey(.expiry, owner: place.conversation.rawValue, item: place.seq)
        guard let stored = try reading({ () throws(StoreError) in try store.value(key) }) else { return nil }
        return try decodingStored(.expiry) { try Expiry(stored: stored) }
    }

    /// Erases the texts that have expired by the device's clock and by the relay's.
    ///
    /// - Parameter relay: returns the relay of a conversation.
    mutating func eraseExpired(relay: (ConversationID) -> RelayID?) throws(KithError) {
        for place in erasures.removeDue(clocks, relay: relay, in: &step) {
            try forgetFiles(at: place)
            let found = try entries(of: place.conversation, place.seq...place.seq, limit: 1, newestFirst: false)
            guard let (_, stored) = found.first else { continue }
            let key = StoreKey(.entry, owner: place.conversation.rawValue, item: place.seq)
            if var record = stored {
                record.body = .expired
                step.put(key, record.encoded)
            } else {
                step.delete(key)
            }
        }
    }
}
