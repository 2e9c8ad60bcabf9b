import KithWire

// The files of messages that arrive, expire or are deleted.

extension EntryRecord {
    /// Returns a file of the message; `nil` if there is no such file, or if the message has expired.
    func file(_ number: Int) -> AttachedFile? {
        guard case .files(let message) = body, message.attachments.indices.contains(number - 1) else { return nil }
        return message.shown[number - 1]
    }
}

extension Trust {
    /// Whether the contact's small files are downloaded without a request of the user. True if the user has compared the safety
    /// numbers, or if the key was in the contact's own invite. A person who has only used an invite of this profile could be
    /// anyone who got hold of the invite.
    var allowsAutomaticDownloads: Bool { self >= .invite }
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
    /// Downloads those files of a new message that are small enough, if the files come from a contact whose key the relay could
    /// not choose, and if the contact's limits for today allow it (``DownloadBudget``). Otherwise the files wait for the user's
    /// request.
    mutating func fetchAutomatically(_ body: EntryRecord.Body, from author: EntryRecord.Author, at place: EntryPlace) {
        guard case .files(let message) = body, case .contact(let id) = author, let contact = contacts[id],
            contact.trust.allowsAutomaticDownloads, contact.conflictingKey == nil, !contact.isBlocked
        else { return }
        var wanted: [(place: FilePlace, reference: BlobReference)] = []
        for (index, file) in message.attachments.enumerated() {
            guard case .blob(let reference) = file.place, reference.layout.size <= fileSettings.autoDownload,
                !wanted.contains(where: { $0.reference.blob == reference.blob })
            else { continue }
            let place = FilePlace(conversation: place.conversation, seq: place.seq, number: index + 1)
            if place.key != nil { wanted.append((place, reference)) }
        }
        let bytes = wanted.reduce(0) { $0 + $1.reference.layout.sealedSize }
        guard !wanted.isEmpty, downloadBudget.take(files: wanted.count, bytes: bytes, from: id, at: wall) else {
            return
        }
        step.put(DownloadBudget.key, downloadBudget.encoded)
        for (place, reference) in wanted {
            downloads.begin(place, reference, .automatic(id), random: random, in: &step)
        }
    }

    /// Ends the downloads that began without a request of the user, because the contact had sent the files.
    mutating func endAutomaticDownloads(from contact: ContactID) {
        for id in downloads.automaticIDs(from: contact) {
            downloads.finish(id, .failure(.files(.notFound)), in: &step)
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
            if let file = row.keptFile { step.removeFile(file) }
        }
    }

    /// Forgets all files of a conversation that is deleted from this device, and removes them from the disk. A file whose row is
    /// damaged is removed when the profile is opened again. The relay deletes the blobs of messages that were not sent. Other members
    /// may have the messages that were sent, and still need those blobs.
    mutating func forgetFiles(in conversation: ConversationID, _ record: ConversationRecord, _ outbox: Outbox) {
        for item in outbox.items where !item.mayBeInLog { deleteAtRelay(item.blobs) }
        for id in downloads.ids(in: conversation) { downloads.finish(id, .failure(.files(.ended)), in: &step) }
        for (place, _) in uploads.all where place.conversation == conversation {
            guard let message = uploads.remove(place, in: &step) else { continue }
            deleteAtRelay(message.uploads, of: message, in: record)
        }
        let kept = try? store.rows(
            .file, owner: conversation.rawValue, items: 0...StoreKey.highest, limit: .max, newestFirst: false)
        for file in (kept ?? []).compactMap(\.keptFile) { step.removeFile(file) }
        step.deleteAll(.file, owner: conversation.rawValue)
    }

    /// Deletes blobs at their relays. The deletions are stored, and continue after a restart.
    ///
    /// - Parameter delayMs: the pause before the first attempt, in milliseconds.
    mutating func deleteAtRelay(_ blobs: [OwnBlob], delayMs: UInt64? = nil) {
        for blob in blobs {
            deletions.add(blob, at: delayMs.map(now.plus), random: random, in: &step)
        }
    }

    /// Deletes the blobs of uploads that end before their message has been sent. Nobody else knows these blobs.
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - record: the record of the message's conversation.
    mutating func deleteAtRelay(_ uploads: [Upload], of message: UploadRecord, in record: ConversationRecord) {
        for upload in uploads {
            let blobs = message.ownBlobs([upload], in: record, at: wall)
            // The request that reserves the blob may still be on its way.
            deleteAtRelay(blobs, delayMs: upload.isReserved ? nil : ClientLimits.reservationPauseMs)
        }
    }
}
