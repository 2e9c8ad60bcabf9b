import KithWire
import MLS
import TLSCodec

extension Messenger {
    // MARK: Loading

    func load() throws(KithError) {
        if let stored = try reading({ () throws(StoreError) in try store.value(NextNumbers.key) }) {
            step.load(try decodingStored(.profile) { try NextNumbers(stored: stored) })
        }
        try each(.relay) { value in
            relays.load(RelayID(rawValue: value.item), try RelayPoint(decoding: value.bytes))
            step.numbers.relay = max(step.numbers.relay, value.item + 1)
        }
        try each(.contact) { value in
            let contact = try Contact(id: ContactID(rawValue: value.item), stored: value.bytes)
            contacts.load(contact)
            step.numbers.contact = max(step.numbers.contact, value.item + 1)
        }
        contacts.tellNamesApart()
        try each(.conversation) { value in
            let record = try ConversationRecord(stored: value.bytes)
            let id = ConversationID(rawValue: value.item)
            step.numbers.conversation = max(step.numbers.conversation, value.item + 1)
            // Its relay was left out.
            if toleratesDamage, relays[record.relay] == nil { throw StoreError.damaged(.relay) }
            conversations[id] = Conversation(id: id, record: record)
            conversationsByChannel[record.channel] = id
        }
        try each(.outbox) { value in
            let item = try OutboxItem(stored: value.bytes)
            conversations[ConversationID(rawValue: value.owner)]?.outbox.load(value.item, item)
        }
        try each(.inbox) { value in
            inboxes[InboxID(rawValue: value.item)] = Inbox(try InboxRecord(stored: value.bytes))
            step.numbers.inbox = max(step.numbers.inbox, value.item + 1)
        }
        try each(.delivery) { value in
            let delivery = try ChannelDelivery(stored: value.bytes)
            deliveries.load(value.item, delivery)
            step.numbers.delivery = max(step.numbers.delivery, value.item + 1)
        }
        try each(.expiry) { value in
            let place = EntryPlace(conversation: ConversationID(rawValue: value.owner), seq: value.item)
            erasures.load(place, try Expiry(stored: value.bytes))
        }
    }

    /// Takes each value of a table. One that is damaged is left out if that is tolerated.
    private func each(_ table: StoreTable, _ take: (StoredValue) throws -> Void) throws(KithError) {
        for row in try reading({ () throws(StoreError) in try store.allRows(table) }) {
            do {
                guard let bytes = row.bytes else { throw StoreError.damaged(table) }
                try take(StoredValue(owner: row.owner, item: row.item, bytes: bytes))
            } catch {
                guard toleratesDamage else { throw .store(.damaged(table)) }
                damagedValues += 1
            }
        }
    }

    /// Entries of a conversation, each with its record unless it is damaged on the disk: that costs this entry and no other.
    func entries(
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
                damagedEntries.insert(place)
                entries.append((row.item, nil))
            }
        }
        return entries
    }

    /// A conversation's group, read from the store when it is needed for the first time.
    func group(of conversation: Conversation) throws(KithError) -> Conversation.LoadedGroup {
        groupUses += 1
        conversation.lastUse = groupUses
        if let loaded = conversation.loaded { return loaded }
        let owner = conversation.id.rawValue
        let state = try reading { () throws(StoreError) in try store.value(StoreKey(.epoch, owner: owner, item: 0)) }
        guard let state else { throw .store(.damaged(.epoch)) }
        let values = try reading { () throws(StoreError) in try store.values(.record, owner: owner) }
        let records = values.compactMap { value in
            GroupRecordKey(rawValue: value.item).map { GroupRecord(key: $0, content: SecretBytes(value.bytes)) }
        }
        let pending = try reading { () throws(StoreError) in
            try store.value(StoreKey(.pendingCommit, owner: owner, item: 0))
        }
        let loaded = try decodingStored(.epoch) {
            try Conversation.LoadedGroup(
                Group(restoring: SecretBytes(state), records: records), pending: pending.map(PendingTurn.init(stored:)))
        }
        unloadIdleGroups()
        conversation.loaded = loaded
        return loaded
    }

    /// Unloads the least recently used groups beyond ``ClientLimits/loadedGroups``, and those of pending conversations. A group
    /// that changed in this step stays until the change is in the step's transaction.
    func unloadIdleGroups() {
        let loaded = conversations.values.filter { $0.loaded != nil && !touched.contains($0.id) }
        var surplus = loaded.count - ClientLimits.loadedGroups
        guard surplus > 0 || loaded.contains(where: { !mayAct(in: $0) }) else { return }
        for conversation in loaded.sorted(by: { $0.lastUse < $1.lastUse })
        where surplus > 0 || !mayAct(in: conversation) {
            conversation.unload()
            surplus -= 1
        }
    }

    /// The number of groups in memory.
    package var loadedGroups: Int { conversations.values.count { $0.loaded != nil } }

    /// Whether a conversation's group is known: a device that was restored from a backup has none until it is added again.
    func hasGroup(_ conversation: Conversation) throws(KithError) -> Bool {
        if conversation.loaded != nil { return true }
        let key = StoreKey(.epoch, owner: conversation.id.rawValue, item: 0)
        return try reading { () throws(StoreError) in try store.value(key) } != nil
    }

    // MARK: Storing

    /// Says that a conversation has changed in this step.
    func touch(_ conversation: Conversation) { touched.insert(conversation.id) }

    /// Puts what this step changed into its transaction.
    func storeTouched() throws(KithError) {
        for id in touched.sorted() {
            guard let conversation = conversations[id] else { continue }
            if let loaded = conversation.loaded {
                conversation.record.note(hasProposals: !loaded.group.pendingProposals.isEmpty)
            }
            step.put(StoreKey(.conversation, item: id.rawValue), conversation.record.encoded)
            if let loaded = conversation.loaded { store(loaded, of: id) }
        }
        touched = []
    }

    private func store(_ loaded: Conversation.LoadedGroup, of id: ConversationID) {
        let owner = id.rawValue
        if loaded.isNewEpoch {
            loaded.isNewEpoch = false
            loaded.group.epochState.withUnsafeBytes {
                step.put(StoreKey(.epoch, owner: owner, item: 0), Array($0))
            }
            step.delete(StoreKey(.pendingCommit, owner: owner, item: 0))
            step.deleteAll(.record, owner: owner)
            for record in loaded.group.records { put(record, owner) }
            _ = loaded.group.takeChangedRecords()
        } else {
            for record in loaded.group.takeChangedRecords() { put(record, owner) }
        }
    }

    private func put(_ record: GroupRecord, _ owner: UInt64) {
        let key = StoreKey(.record, owner: owner, item: record.key.rawValue)
        if let content = record.content {
            step.put(key, content.copyBytes())
        } else {
            step.delete(key)
        }
    }

    func store(_ pending: PendingTurn?, of conversation: Conversation) {
        let key = StoreKey(.pendingCommit, owner: conversation.id.rawValue, item: 0)
        if let pending {
            step.put(key, pending.encoded)
        } else {
            step.delete(key)
        }
    }

    func store(_ record: EntryRecord, seq: UInt64, of conversation: Conversation) {
        step.put(StoreKey(.entry, owner: conversation.id.rawValue, item: seq), record.encoded)
    }

    func storeInbox(_ id: InboxID) {
        guard let inbox = inboxes[id] else { return }
        step.put(StoreKey(.inbox, item: id.rawValue), inbox.record.encoded)
    }
}
