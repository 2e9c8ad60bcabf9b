import KithWire

// The files of messages that arrive, expire or are deleted.

extension EntryRecord {
    /// Returns a file of the message; `nil` if there is no such file, or if the message has expired.
    func file(_ number: Int) -> AttachedFile? {
        guard case .files(let message) = body, message.attachments.indices.contains(number - 1) else { return nil }
        return message.shown[number - 1]
    }
}

extension UploadRecord {
    /// Returns the message as users see it until its files are at the relay.
    func queuedMessage(in conversation: ConversationID) -> Message {
        Message(
            id: entryID, conversation: conversation, seq: nil, author: .me, body: .files(shown), sentAtMs: sentAt,
            replyTo: files.replyTo, delivery: .queued, warnings: [])
    }
}

extension DeviceState {
    /// If a verified contact has sent a new message, downloads the message's files that are small enough.
    mutating func fetchAutomatically(_ body: EntryRecord.Body, from author: EntryRecord.Author, at place: EntryPlace) {
        guard case .files(let message) = body, case .contact(let id) = author, let contact = contacts[id],
            contact.trust.isVerified, contact.conflictingKey == nil
        else { return }
        for (index, file) in message.attachments.enumerated() {
            guard case .blob(let reference) = file.place, reference.layout.size <= fileSettings.autoDownload else {
                continue
            }
            let place = FilePlace(conversation: place.conversation, seq: place.seq, number: index + 1)
            guard place.key != nil else { continue }
            downloads.begin(place, reference, nil, random: random, in: &step)
        }
    }

    /// Forgets the files of a message that is erased or deleted, and removes them from the disk.
    mutating func forgetFiles(at place: EntryPlace) throws(KithError) {
        for id in downloads.ids(in: place.conversation, seq: place.seq) {
            downloads.finish(id, .failure(.files(.notFound)), in: &step)
        }
        guard let items = FilePlace.items(of: place.seq) else { return }
        let kept = try reading { () throws(StoreError) in
            try store.rows(
                .file, owner: place.conversation.rawValue, items: items, limit: ClientLimits.attachments,
                newestFirst: false)
        }
        for row in kept {
            step.delete(StoreKey(.file, owner: row.owner, item: row.item))
            if let bytes = row.bytes, let file = try? KeptFile(stored: bytes) { step.removeFile(file.id) }
        }
    }

    /// Forgets all files of a conversation that is deleted from this device, and removes them from the disk. A file whose row is
    /// damaged is removed when the profile is opened again.
    mutating func forgetFiles(in conversation: ConversationID) {
        for id in downloads.ids(in: conversation) { downloads.finish(id, .failure(.files(.ended)), in: &step) }
        for (place, _) in uploads.all where place.conversation == conversation {
            _ = uploads.remove(place, in: &step)
        }
        let kept = try? store.rows(
            .file, owner: conversation.rawValue, items: 0...StoreKey.highest, limit: .max, newestFirst: false)
        for row in kept ?? [] {
            if let bytes = row.bytes, let file = try? KeptFile(stored: bytes) { step.removeFile(file.id) }
        }
        step.deleteAll(.file, owner: conversation.rawValue)
    }
}
