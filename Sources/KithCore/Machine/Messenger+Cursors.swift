import KithWire

// Cursors: programs that read messages, each at a pace of its own.

extension Messenger {
    // MARK: The store

    /// The profile's cursors, read when they are needed for the first time.
    private func book() throws(KithError) -> CursorBook {
        if let cursors { return cursors }
        var names: [UInt64: CursorName] = [:]
        var damaged: Set<UInt64> = []
        for row in try cursorRows(owner: CursorBook.namesOwner) {
            if let name = row.bytes.flatMap({ try? CursorName(stored: $0) }) {
                names[row.item] = name
            } else {
                damaged.insert(row.item)
            }
        }
        let book = CursorBook(names: names, damaged: damaged)
        cursors = book
        return book
    }

    private func cursorRows(owner: UInt64) throws(KithError) -> [StoredRow] {
        try reading { () throws(StoreError) in
            try state.device.store.rows(.profile, owner: owner, items: 0...StoreKey.highest, limit: .max, newestFirst: false)
        }
    }

    /// A cursor with its places.
    private func cursor(_ number: UInt64, _ name: CursorName) throws(KithError) -> MessageCursor {
        if let used = cursors?.used[number] { return used }
        var places: [ConversationID: CursorPlace] = [:]
        for row in try cursorRows(owner: CursorBook.placesOwner(number)) {
            guard let place = row.bytes.flatMap({ try? CursorPlace(stored: $0) }) else {
                throw .cursor(.damaged(name.text))
            }
            places[ConversationID(rawValue: row.item)] = place
        }
        return MessageCursor(number: number, name: name, places: places)
    }

    private func store(_ place: CursorPlace?, of cursor: UInt64, in conversation: ConversationID) {
        guard let place else { return }
        state.device.step.put(CursorBook.placeKey(cursor, conversation), place.encoded)
    }

    /// The cursors for a backup, without what is damaged.
    func eachCursorRecord(_ body: (BackupRecord) throws(KithError) -> Void) throws(KithError) {
        for (number, name) in try book().names.sorted(by: { $0.key < $1.key }) {
            try body(.cursor(number: number, name))
            for row in try cursorRows(owner: CursorBook.placesOwner(number)) {
                guard let place = row.bytes.flatMap({ try? CursorPlace(stored: $0) }) else { continue }
                try body(.cursorPlace(number: number, ConversationID(rawValue: row.item), place))
            }
        }
    }

    // MARK: Using

    /// The names of the cursors.
    package func cursorNames() throws(KithError) -> [String] { try book().names.values.map(\.text).sorted() }

    /// Begins to read a cursor, which is made if it is not there. Whoever reads it already gets nothing more.
    func openCursor(_ name: String, from start: CursorStart) throws(KithError) -> CursorReader {
        let name = try CursorName(name)
        var book = try book()
        var cursor: MessageCursor
        if let number = book.number(of: name) {
            cursor = try self.cursor(number, name)
        } else {
            let number = try book.add(name)
            state.device.step.put(CursorBook.nameKey(number), name.encoded)
            var places: [ConversationID: CursorPlace] = [:]
            if start == .now {
                for place in state.conversations.all where place.machine.record.lastSeq > 0 {
                    places[place.machine.id] = CursorPlace(doneThrough: place.machine.record.lastSeq)
                }
                for id in places.keys.sorted() { store(places[id], of: number, in: id) }
            }
            cursor = MessageCursor(number: number, name: name, places: places)
        }
        let reader = CursorReader(cursor: cursor.number, number: book.newReader(), name: name.text)
        cursor.begin(reader: reader.number)
        book.used[cursor.number] = cursor
        cursors = book
        return reader
    }

    /// Forgets a cursor with all its places.
    func deleteCursor(_ name: String) throws(KithError) {
        var book = try book()
        for number in try book.remove(try CursorName(name)) {
            state.device.step.delete(CursorBook.nameKey(number))
            state.device.step.deleteAll(.profile, owner: CursorBook.placesOwner(number))
        }
        cursors = book
    }

    /// Finds the next message for a reader, and notes that it was handed out.
    ///
    /// Looks at a bounded number of entries. Those of conversations that the user has not accepted wait until then.
    func nextIncoming(for reader: CursorReader) throws(KithError) -> Incoming {
        guard var cursor = try used(by: reader) else { throw .cursor(.takenOver(reader.name)) }
        let waiting = state.conversations.all.filter {
            $0.machine.mayAct && cursor.scanned(in: $0.machine.id) < $0.machine.record.lastSeq
        }
        var isUnfinished = false
        for id in cursor.inTurn(waiting.map(\.machine.id)) {
            guard let machine = state.conversations[id]?.machine else { continue }
            let after = cursor.scanned(in: id)
            let rows = try state.device.entries(
                of: id, after + 1...machine.record.lastSeq, limit: ClientLimits.cursorPage, newestFirst: false)
            for (seq, record) in rows {
                guard let record, let message = incoming(record, seq: seq, in: machine) else { continue }
                let place = IncomingPlace(reader: reader, conversation: id, seq: seq)
                let isRepeated = cursor.isRepeated(seq, in: id)
                store(cursor.deliver(seq, in: id), of: cursor.number, in: id)
                cursors?.used[cursor.number] = cursor
                return .message(IncomingEntry(message: message, isRepeated: isRepeated, place: place))
            }
            let isAtEnd = rows.count < ClientLimits.cursorPage
            // Entries that this step has added to the log are not in the store yet.
            let isWhole = isAtEnd && !state.device.step.dirty.contains(id)
            cursor.pass(through: isWhole ? machine.record.lastSeq : rows.last?.seq ?? after, in: id)
            cursors?.used[cursor.number] = cursor
            if !isAtEnd { return .unfinished }
            if !isWhole { isUnfinished = true }
        }
        return isUnfinished ? .unfinished : .none
    }

    /// The line of an entry that is for the readers of cursors: something that another member says.
    private func incoming(_ record: EntryRecord, seq: UInt64, in machine: ConversationMachine) -> Message? {
        guard record.author != .me, record.body.isForPeople else { return nil }
        return messages(of: record, seq: seq, in: machine).first
    }

    /// Notes that a reader is done with a message, and with all before it in the conversation.
    ///
    /// - Throws: ``KithError/notFound(_:)`` if the cursor was deleted.
    func acknowledge(_ place: IncomingPlace) throws(KithError) {
        guard var cursor = try book().used[place.reader.cursor] else { throw .notFound(place.reader.name) }
        store(cursor.acknowledge(place.seq, in: place.conversation), of: cursor.number, in: place.conversation)
        cursors?.used[cursor.number] = cursor
    }

    private func used(by reader: CursorReader) throws(KithError) -> MessageCursor? {
        guard let cursor = try book().used[reader.cursor] else { throw .notFound(reader.name) }
        return cursor.reader == reader.number ? cursor : nil
    }
}
