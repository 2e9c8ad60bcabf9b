import KithWire

// Converts an entry to the messages that are shown.

extension EntryRecord {
    /// Returns the messages that are shown for the entry.
    ///
    /// - Parameter readBy: the last entry that each member has read.
    func messages(at place: EntryPlace, readBy: [ContactID: UInt64], _ contacts: ContactBook) -> [Message] {
        func line(_ body: Message.Body, _ author: Message.Author) -> Message {
            var delivery: Delivery?
            var readers: [ContactID] = []
            if author == .me {
                readers = readBy.filter { $0.value >= place.seq }.keys.sorted()
                delivery = readers.isEmpty ? .onRelay : .read(by: readers.count)
            }
            return Message(
                id: id, conversation: place.conversation, seq: place.seq, author: author, body: body,
                sentAtMs: sentAtMs > 0 ? sentAtMs : receivedAtMs, replyTo: replyTo, delivery: delivery,
                warnings: warnings, readers: readers)
        }
        switch body {
        case .text(let text): return [line(.text(text), shownAuthor(contacts))]
        case .files(let files): return [line(.files(MessageFiles(files)), shownAuthor(contacts))]
        case .unknown(let kind, _): return [line(.needsNewerKith(kind: kind), shownAuthor(contacts))]
        case .notices(let notices): return notices.map { line(.notice($0), .kith) }
        case .expired: return []
        }
    }

    private func shownAuthor(_ contacts: ContactBook) -> Message.Author {
        switch author {
        case .me: return .me
        case .unknown: return .contact(ContactID(rawValue: 0), name: "somebody", .unverified)
        case .contact(let id):
            guard let contact = contacts[id] else { return .contact(id, name: "somebody", .unverified) }
            return .contact(id, name: contact.name, contact.trust)
        }
    }
}

extension EntryRecord.Body {
    /// Whether the entry has a message from a person: a text, or content of an unknown kind. An expired text does not count.
    var isForPeople: Bool {
        switch self {
        case .text, .files, .unknown: true
        case .notices, .expired: false
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

    /// Whether the message is from a person: a text, or content of an unknown kind.
    var isForPeople: Bool {
        switch body {
        case .text, .files, .needsNewerKith: true
        case .notice: false
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
}
