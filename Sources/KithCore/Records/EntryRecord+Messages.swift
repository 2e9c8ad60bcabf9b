import KithWire

// Converts an entry to the messages that are shown.

extension EntryRecord {
    /// Returns the messages that are shown for the entry.
    ///
    /// - Parameter readBy: the entries that the members have read.
    func messages(at place: EntryPlace, readBy: ReadProgress, in device: DeviceState) -> [Message] {
        switch body {
        case .text(let text):
            var line = line(.text(text.replacingMentions(device.mentionedName)), at: place, readBy, in: device)
            let own = device.account.fingerprint
            line.mentionsMe = author != .me && text.mentions.contains { $0.account == own }
            return [line]
        case .files(let files): return [line(.files(MessageFiles(files)), at: place, readBy, in: device)]
        case .unknown(let kind, _): return [line(.needsNewerKith(kind: kind), at: place, readBy, in: device)]
        case .deleted: return [line(.deleted, at: place, readBy, in: device)]
        case .notices(let notices):
            // A blocked person's view of the log is evidence for `explain`, and no reason to interrupt the user.
            let warnings = device.contacts.hasBlocked(author) ? [] : warnings
            return notices.map { notice in
                Message(
                    id: id, conversation: place.conversation, seq: place.seq, author: .kith, body: .notice(notice),
                    sentAtMs: sentAtMs > 0 ? sentAtMs : receivedAtMs, replyTo: nil, delivery: nil, warnings: warnings)
            }
        case .expired, .deletedHere, .change: return []
        }
    }

    /// Returns the message without content, for the report that its text was erased.
    func erasedMessage(at place: EntryPlace, in device: DeviceState) -> Message {
        var erased = self
        erased.marks = MarksRecord()
        return erased.line(.deleted, at: place, ReadProgress(), in: device)
    }

    /// Returns the line for content that a person has written.
    private func line(
        _ body: Message.Body, at place: EntryPlace, _ readBy: ReadProgress, in device: DeviceState
    ) -> Message {
        var delivery: Delivery?
        var readers: [ContactID] = []
        if author == .me {
            readers = readBy.readers(of: place.seq)
            delivery = readers.isEmpty ? .onRelay : .read(by: readers.count)
        }
        var line = Message(
            id: id, conversation: place.conversation, seq: place.seq, author: device.shownAuthor(author), body: body,
            sentAtMs: sentAtMs > 0 ? sentAtMs : receivedAtMs, replyTo: replyTo, delivery: delivery,
            warnings: warnings, readers: readers)
        for reader in readers where readBy.joinedAt(reader) > 0 {
            line.readersJoinedAt[reader] = readBy.joinedAt(reader)
        }
        line.reactions = marks.reactions.map {
            Message.Reaction(text: $0.text, author: device.shownAuthor(device.author(with: $0.account)))
        }
        line.isEdited = marks.editCount > 0
        line.isPinned = marks.isPinned
        line.expiresAfter = expiresAfter
        if let replySeq { line.quote = device.quote(EntryPlace(conversation: place.conversation, seq: replySeq)) }
        return line
    }
}

extension EntryRecord.Body {
    /// Whether the entry has a message from a person: a text, files, or content of an unknown kind. A message that has expired
    /// or was deleted does not count.
    var isForPeople: Bool {
        switch self {
        case .text, .files, .unknown: true
        case .notices, .expired, .deleted, .deletedHere, .change: false
        }
    }
}

extension Message {
    /// Creates a notice that is shown instead of an entry that is damaged on the disk.
    ///
    /// - Parameter timeMs: the time of a neighbouring message, in milliseconds since 1970.
    init(damagedAt place: EntryPlace, near timeMs: UInt64) {
        self.init(
            id: EntryID(place.conversation.rawValue.encoded + place.seq.encoded) ?? .random(),
            conversation: place.conversation, seq: place.seq, author: .kith,
            body: .notice(.unreadable(.damaged, from: nil)), sentAtMs: timeMs, replyTo: nil, delivery: nil,
            warnings: [])
    }

    /// Whether the message is from a person: a text, files, or content of an unknown kind.
    var isForPeople: Bool {
        switch body {
        case .text, .files, .needsNewerKith: true
        case .notice, .deleted: false
        }
    }

    /// Whether the message is shown in its conversation. Notices about renewed keys are not shown, because there are too many.
    package var isShown: Bool {
        if case .notice(.renewed) = body { false } else { true }
    }
}

/// Identifies an entry by its conversation and its seq.
package struct EntryPlace: Hashable, Sendable {
    let conversation: ConversationID
    let seq: UInt64

    /// The key of the entry in the store.
    var key: StoreKey { StoreKey(.entry, owner: conversation.rawValue, item: seq) }

    /// The key of the times at which the message is hidden and erased.
    var expiryKey: StoreKey { StoreKey(.expiry, owner: conversation.rawValue, item: seq) }

    /// The key of the message's marks in the store.
    var marksKey: StoreKey { StoreKey(.marks, owner: conversation.rawValue, item: seq) }
}
