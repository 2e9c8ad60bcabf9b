import TLSCodec

/// Loads a profile from the store.
enum StoredProfile {
    /// Reads all data that is kept in memory. If the device tolerates damage, leaves damaged values out.
    static func load(_ device: DeviceState) throws(KithError) -> (ProfileState, InboxTable) {
        var (device, conversations, inboxes) = (device, ConversationTable(), InboxTable())
        let store = device.store
        if let stored = try reading({ () throws(StoreError) in try store.value(NextNumbers.key) }) {
            device.step.load(try decodingStored(.profile) { try NextNumbers(stored: stored) })
        }
        try each(.relay, &device) { value, device in
            device.relays.load(RelayID(rawValue: value.item), try RelayPoint(decoding: value.bytes))
            device.step.numbers.relay = max(device.step.numbers.relay, value.item + 1)
        }
        try each(.contact, &device) { value, device in
            device.contacts.load(try Contact(id: ContactID(rawValue: value.item), stored: value.bytes))
            device.step.numbers.contact = max(device.step.numbers.contact, value.item + 1)
        }
        device.contacts.distinguishNames()
        try each(.conversation, &device) { value, device in
            let record = try ConversationRecord(stored: value.bytes)
            device.step.numbers.conversation = max(device.step.numbers.conversation, value.item + 1)
            // The relay of this conversation was damaged and left out. So the conversation is left out, too.
            if device.damage.isTolerated, device.relays[record.relay] == nil { throw StoreError.damaged(.relay) }
            conversations.add(ConversationMachine(id: ConversationID(rawValue: value.item), record: record))
        }
        try each(.outbox, &device) { value, _ in
            let item = try OutboxItem(stored: value.bytes)
            conversations[ConversationID(rawValue: value.owner)]?.load(value.item, item)
        }
        try each(.inbox, &device) { value, device in
            inboxes.add(InboxID(rawValue: value.item), try InboxRecord(stored: value.bytes))
            device.step.numbers.inbox = max(device.step.numbers.inbox, value.item + 1)
        }
        try each(.delivery, &device) { value, device in
            device.deliveries.load(value.item, try ChannelDelivery(stored: value.bytes))
            device.step.numbers.delivery = max(device.step.numbers.delivery, value.item + 1)
        }
        try loadFiles(&device)
        try each(.expiry, &device) { value, device in
            let place = EntryPlace(conversation: ConversationID(rawValue: value.owner), seq: value.item)
            device.erasures.load(place, try Expiry(stored: value.bytes))
        }
        return (ProfileState(device: device, conversations: conversations), inboxes)
    }

    /// Loads the files that are being transferred or deleted at relays, and the settings for files.
    private static func loadFiles(_ device: inout DeviceState) throws(KithError) {
        let store = device.store
        if let stored = try reading({ () throws(StoreError) in try store.value(FileSettings.key) }) {
            device.fileSettings = try decodingStored(.profile) { try FileSettings(stored: stored) }
        }
        if let stored = try reading({ () throws(StoreError) in try store.value(DownloadBudget.key) }) {
            device.downloadBudget = try decodingStored(.profile) { try DownloadBudget(stored: stored) }
        }
        try each(.upload, &device) { value, device in
            let place = UploadQueue.Place(conversation: ConversationID(rawValue: value.owner), number: value.item)
            try device.uploads.load(place, try UploadRecord(stored: value.bytes), from: store)
        }
        try each(.download, &device) { value, device in
            try device.downloads.load(
                TransferID(rawValue: value.item), try DownloadRecord(stored: value.bytes), from: store)
        }
        try each(.deletion, &device) { value, device in
            device.deletions.load(TransferID(rawValue: value.item), try DeletionRecord(stored: value.bytes))
        }
    }

    /// Passes each value of a table to `take`. If the device tolerates damage, leaves damaged values out.
    private static func each(
        _ table: StoreTable, _ device: inout DeviceState, _ take: (StoredValue, inout DeviceState) throws -> Void
    ) throws(KithError) {
        let store = device.store
        for row in try reading({ () throws(StoreError) in try store.allRows(table) }) {
            do {
                guard let bytes = row.bytes else { throw StoreError.damaged(table) }
                try take(StoredValue(owner: row.owner, item: row.item, bytes: bytes), &device)
            } catch {
                guard device.damage.isTolerated else { throw .store(.damaged(table)) }
                device.damage.noteValue()
            }
        }
    }
}
