import KithWire

/// A change of an earlier message. The log has delivered the change. If several changes conflict, the log's order decides.
struct LoggedChange {
    private let change: MessageChange
    private let target: MessageReference
    /// The seq of the change's own entry.
    private let seq: UInt64
    /// The author of the change.
    private let author: EntryRecord.Author
    private let account: AccountKey?

    /// - Parameter entry: the entry of the change, at a seq.
    init(_ change: MessageChange, of target: MessageReference, by entry: EntryRecord, at seq: UInt64) {
        (self.change, self.target, self.seq) = (change, target, seq)
        (author, account) = (entry.author, entry.account)
    }

    /// Changes the message, if this device has the message and the author of the change may make the change.
    ///
    /// - Returns: the body of the change's own entry.
    func apply(
        to record: inout ConversationRecord, of conversation: ConversationID, in device: inout DeviceState
    ) throws(KithError) -> EntryRecord.Body {
        let place = EntryPlace(conversation: conversation, seq: target.seq)
        var isApplied = false
        if target.seq < seq, let message = try device.changeableEntry(at: place), message.id == target.id,
            isAllowed(for: message)
        {
            isApplied = try apply(to: message, at: place, &record, &device)
        }
        guard isApplied, case .pin(let isPinned) = change else {
            return .change(EntryRecord.ChangeNote(change, of: target.seq, isApplied: isApplied))
        }
        let name = device.name(of: author)
        return .notices([isPinned ? .pinned(seq: target.seq, by: name) : .unpinned(seq: target.seq, by: name)])
    }

    /// Whether the author of the change may make it.
    private func isAllowed(for message: EntryRecord) -> Bool {
        guard message.body.isForPeople else { return false }
        switch change {
        case .reaction, .pin: return true
        case .edit, .deletion:
            // Entries that earlier versions of Kith have stored contain no account.
            guard let owner = message.account else { return message.author == author && author != .unknown }
            return owner == account
        }
    }

    /// - Returns: whether the change has made a difference.
    private func apply(
        to message: EntryRecord, at place: EntryPlace, _ record: inout ConversationRecord, _ device: inout DeviceState
    ) throws(KithError) -> Bool {
        var message = message
        let update: MessageUpdate
        switch change {
        case .reaction(let text):
            guard let account, message.marks.react(text, by: account) else { return false }
            update = .reaction(text, by: device.shownAuthor(author))
        case .edit(let text):
            guard case .text(let before) = message.body else { return false }
            message.marks.replace(before, at: seq)
            message.body = .text(text)
            device.step.put(place.key, message.encoded)
            update = .edited
        case .deletion:
            record.pins.remove(place.seq)
            if place.seq > record.readSeq, message.author != .me { record.didDeleteUnread() }
            try device.erase(place, leaving: .deleted, of: message)
            message.body = .deleted
            message.marks = MarksRecord()
            update = .deleted
        case .pin(let isPinned):
            let wasListed = record.pins.seqs.contains(place.seq)
            guard message.marks.pin(isPinned) || wasListed != isPinned else { return false }
            record.pins.remove(place.seq)
            if isPinned, let oldest = record.pins.add(place.seq) {
                try unpin(EntryPlace(conversation: place.conversation, seq: oldest), in: &device)
            }
            let author = device.shownAuthor(author)
            update = isPinned ? .pinned(by: author) : .unpinned(by: author)
        }
        if update != .deleted { device.store(message.marks, at: place) }
        // The text of a hidden message must not be reported.
        if try device.isHidden(message, at: place) { return true }
        for line in message.messages(at: place, readBy: record.readBy, in: device) {
            device.emit(.messageChanged(line, update))
        }
        return true
    }

    /// Removes the pin from the stored marks of a message that is no longer in the conversation's list of pins.
    private func unpin(_ place: EntryPlace, in device: inout DeviceState) throws(KithError) {
        guard var marks = try device.changeableEntry(at: place)?.marks, marks.pin(false) else { return }
        device.store(marks, at: place)
    }
}

extension EntryRecord.ChangeNote {
    init(_ change: MessageChange, of target: UInt64, isApplied: Bool) {
        let kind: Kind =
            switch change {
            case .reaction: .reaction
            case .edit: .edit
            case .deletion: .deletion
            case .pin(let isPinned): isPinned ? .pin : .unpin
            }
        self.init(kind: kind, target: target, isApplied: isApplied)
    }
}
