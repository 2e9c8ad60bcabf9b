import KithWire

// Loads and stores cursors, and searches for their next messages.

extension CursorBook {
    // MARK: The store

    /// Reads the names of a profile's cursors.
    init(from store: any ProfileStore) throws(KithError) {
        var names: [UInt64: CursorName] = [:]
        var damaged: Set<UInt64> = []
        for row in try Self.rows(of: Self.namesOwner, in: store) {
            if let name = row.bytes.flatMap({ try? CursorName(stored: $0) }) {
                names[row.item] = name
            } else {
                damaged.insert(row.item)
            }
        }
        self.init(names: names, damaged: damaged)
    }

    private static func rows(of owner: UInt64, in store: any ProfileStore) throws(KithError) -> [StoredRow] {
        try reading { () throws(StoreError) in
            try store.rows(.profile, owner: owner, items: 0...StoreKey.highest, limit: .max, newestFirst: false)
        }
    }

    /// Returns the cursor with the given number, including its places.
    private func cursor(_ number: UInt64, _ name: CursorName, in store: any ProfileStore) throws(KithError)
        -> MessageCursor
    {
        if let used = used[number] { return used }
        var places: [ConversationID: CursorPlace] = [:]
        for row in try Self.rows(of: Self.placesOwner(number), in: store) {
            guard let place = row.bytes.flatMap({ try? CursorPlace(stored: $0) }) else {
                throw .cursor(.damaged(name.text))
            }
            places[ConversationID(rawValue: row.item)] = place
        }
        return MessageCursor(number: number, name: name, places: places)
    }

    private static func store(
        _ place: CursorPlace?, of cursor: UInt64, in conversation: ConversationID, _ step: inout Step
    ) {
        if let place { step.put(placeKey(cursor, conversation), place.encoded) }
    }

    /// Calls `body` with the undamaged records of all cursors, for a backup.
    func eachRecord(
        in store: any ProfileStore, _ body: (BackupRecord) throws(KithError) -> Void
    ) throws(KithError) {
        for (number, name) in names.sorted(by: { $0.key < $1.key }) {
            try body(.cursor(number: number, name))
            for row in try Self.rows(of: Self.placesOwner(number), in: store) {
                guard let place = row.bytes.flatMap({ try? CursorPlace(stored: $0) }) else { continue }
                try body(.cursorPlace(number: number, ConversationID(rawValue: row.item), place))
            }
        }
    }

    // MARK: Using

    /// Opens a cursor for a new reader. On first use, creates the cursor. An earlier reader of the cursor gets no more messages.
    mutating func open(
        _ name: String, from start: CursorStart, in profile: inout ProfileState
    ) throws(KithError) -> CursorReader {
        let name = try CursorName(name)
        var cursor: MessageCursor
        if let number = number(of: name) {
            cursor = try self.cursor(number, name, in: profile.device.store)
        } else {
            let number = try add(name)
            profile.device.step.put(Self.nameKey(number), name.encoded)
            var places: [ConversationID: CursorPlace] = [:]
            if start == .now {
                for place in profile.conversations.all where place.machine.record.lastSeq > 0 {
                    places[place.machine.id] = CursorPlace(doneThrough: place.machine.record.lastSeq)
                }
            }
            for id in places.keys.sorted() { Self.store(places[id], of: number, in: id, &profile.device.step) }
            cursor = MessageCursor(number: number, name: name, places: places)
        }
        let reader = CursorReader(cursor: cursor.number, number: newReader(), name: name.text)
        cursor.begin(reader: reader.number)
        used[cursor.number] = cursor
        return reader
    }

    /// Deletes the places of all cursors in a conversation, because the conversation was deleted.
    mutating func forget(_ conversation: ConversationID, in step: inout Step) {
        for number in damaged.union(names.keys).sorted() {
            step.delete(Self.placeKey(number, conversation))
            used[number]?.forget(conversation)
        }
    }

    /// Deletes a cursor with all its places.
    mutating func delete(_ name: String, in step: inout Step) throws(KithError) {
        for number in try remove(try CursorName(name)) {
            step.delete(Self.nameKey(number))
            step.deleteAll(.profile, owner: Self.placesOwner(number))
        }
    }

    /// Finds the next message for a reader, and stores the fact that the message was delivered.
    ///
    /// One call reads only a limited number of entries. The messages of a conversation are delivered only after the user has
    /// accepted the conversation.
    mutating func next(for reader: CursorReader, in profile: inout ProfileState) throws(KithError) -> Incoming {
        guard var cursor = used[reader.cursor] else { throw .notFound(reader.name) }
        guard cursor.reader == reader.number else { throw .cursor(.takenOver(reader.name)) }
        defer { used[reader.cursor] = cursor }
        let waiting = profile.conversations.all.filter {
            $0.machine.mayAct && cursor.scanned(in: $0.machine.id) < $0.machine.record.lastSeq
        }
        var isUnfinished = false
        for id in cursor.inTurn(waiting.map(\.machine.id)) {
            guard let record = profile.conversations[id]?.machine.record else { continue }
            let after = cursor.scanned(in: id)
            let rows = try profile.device.entries(
                of: id, after + 1...record.lastSeq, limit: ClientLimits.cursorPage, newestFirst: false)
            for (seq, entry) in rows {
                let place = EntryPlace(conversation: id, seq: seq)
                guard let message = entry?.incoming(at: place, in: profile.device) else { continue }
                let isRepeated = cursor.isRepeated(seq, in: id)
                Self.store(cursor.deliver(seq, in: id), of: cursor.number, in: id, &profile.device.step)
                let incoming = IncomingPlace(reader: reader, conversation: id, seq: seq)
                return .message(IncomingEntry(message: message, isRepeated: isRepeated, place: incoming))
            }
            let isAtEnd = rows.count < ClientLimits.cursorPage
            // Entries that this step has added to the log are not in the store yet, so the search is not complete.
            let isWhole = isAtEnd && !profile.device.step.dirty.contains(id)
            cursor.pass(through: isWhole ? record.lastSeq : rows.last?.seq ?? after, in: id)
            if !isAtEnd { return .unfinished }
            if !isWhole { isUnfinished = true }
        }
        return isUnfinished ? .unfinished : .none
    }

    /// Acknowledges a message and all earlier messages of its conversation.
    ///
    /// - Throws: ``KithError/notFound(_:)`` if the cursor was deleted.
    mutating func acknowledge(_ place: IncomingPlace, in step: inout Step) throws(KithError) {
        guard var cursor = used[place.reader.cursor] else { throw .notFound(place.reader.name) }
        let acknowledged = cursor.acknowledge(place.seq, in: place.conversation)
        Self.store(acknowledged, of: cursor.number, in: place.conversation, &step)
        used[place.reader.cursor] = cursor
    }
}

extension EntryRecord {
    /// The message for readers of cursors; `nil` if this profile's user has written the entry, or if the entry is not for
    /// people.
    fileprivate func incoming(at place: EntryPlace, in device: DeviceState) -> Message? {
        guard author != .me, body.isForPeople else { return nil }
        return messages(at: place, readBy: ReadProgress(), in: device).first
    }
}
