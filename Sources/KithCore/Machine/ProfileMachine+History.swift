import KithSupport
import KithWire
import MLS

// The messages of conversations in the form that users see.

extension ProfileMachine {
    package func history(of id: ConversationID, before seq: UInt64?, limit: Int) throws(KithError) -> [Message] {
        let machine = try state.conversations.conversation(id).machine
        var lines: [Message] = []
        if seq == nil { lines = queuedMessages(in: machine).reversed() }
        var below = seq ?? StoreKey.highest
        while lines.count < limit, below > 0 {
            let rows = try state.device.entries(of: id, 0...below - 1, limit: max(32, limit), newestFirst: true)
            guard let last = rows.last else { break }
            for (seq, record) in rows where lines.count < limit {
                let near = lines.last?.sentAtMs ?? machine.record.lastActivityMs
                lines += messages(of: record, seq: seq, in: machine, near: near).filter(\.isShown).reversed()
            }
            below = last.seq
        }
        return lines.prefix(limit).reversed()
    }

    package func messages(in id: ConversationID, after seq: UInt64, limit: Int) throws(KithError) -> [Message] {
        let machine = try state.conversations.conversation(id).machine
        var lines: [Message] = []
        var above = seq
        while lines.count < limit, above < StoreKey.highest {
            let rows = try state.device.entries(
                of: id, above + 1...StoreKey.highest, limit: max(32, limit), newestFirst: false)
            guard let last = rows.last else { break }
            for (seq, record) in rows where lines.count < limit {
                let near = lines.last?.sentAtMs ?? 0
                lines += messages(of: record, seq: seq, in: machine, near: near).filter(\.isShown)
            }
            above = last.seq
        }
        return Array(lines.prefix(limit))
    }

    /// Returns the messages of a conversation's entries from a seq on, the oldest first. Messages that are usually not shown are
    /// included.
    ///
    /// - Parameter limit: the largest number of entries that are read.
    /// - Returns: the messages, and in `next` the seq after the last entry that was read. `next` is `nil` at the end of the
    ///   conversation, or if there is no such conversation.
    package func messages(
        in id: ConversationID, from seq: UInt64, entries limit: Int
    ) throws(KithError) -> (messages: [Message], next: UInt64?) {
        guard let machine = state.conversations[id]?.machine, seq <= StoreKey.highest else { return ([], nil) }
        let rows = try state.device.entries(of: id, seq...StoreKey.highest, limit: limit, newestFirst: false)
        var lines: [Message] = []
        for (seq, record) in rows {
            lines += messages(of: record, seq: seq, in: machine, near: lines.last?.sentAtMs ?? 0)
        }
        return (lines, rows.count < limit ? nil : rows.last.map { $0.seq + 1 })
    }

    /// Returns the message with the given id, if its entry is among the conversation's last ``ClientLimits/recentEntries``
    /// entries.
    package func recentMessage(_ entry: EntryID, in id: ConversationID) throws(KithError) -> Message? {
        let machine = try state.conversations.conversation(id).machine
        let rows = try state.device.entries(
            of: id, 0...StoreKey.highest, limit: ClientLimits.recentEntries, newestFirst: true)
        guard let (seq, found) = rows.first(where: { $0.record?.id == entry }), let record = found else { return nil }
        return messages(of: record, seq: seq, in: machine).first
    }

    /// Finds messages, the newest first. If the search has no condition except the conversation, finds nothing.
    package func search(_ search: MessageSearch, limit: Int) throws(KithError) -> [Message] {
        guard !search.isEmpty else { return [] }
        let words = search.words.map { $0.lowercased() }
        var found: [Message] = []
        for place in state.conversations.all
        where search.conversation == nil || search.conversation == place.machine.id {
            found += try newestMessages(in: place.machine, limit: limit) { search.finds($0, words) }
        }
        return Array(found.sorted { $0.sentAtMs > $1.sentAtMs }.prefix(limit))
    }

    /// Returns those messages of a conversation for whose entries `isWanted` returns `true`, the newest first.
    func newestMessages(
        in machine: ConversationMachine, limit: Int, where isWanted: (EntryRecord) -> Bool
    ) throws(KithError) -> [Message] {
        var found: [Message] = []
        var below = StoreKey.highest
        while found.count < limit, below > 0 {
            let rows = try state.device.entries(of: machine.id, 0...below - 1, limit: 1_000, newestFirst: true)
            guard let last = rows.last else { break }
            for (seq, record) in rows where found.count < limit {
                guard let record, isWanted(record) else { continue }
                found += messages(of: record, seq: seq, in: machine)
            }
            below = last.seq
        }
        return found
    }

    /// Returns the messages of one entry. For a damaged entry, returns a notice.
    ///
    /// - Parameter timeMs: the time of a neighbouring message, in milliseconds since 1970. The notice about a damaged entry gets
    ///   this time.
    func messages(
        of record: EntryRecord?, seq: UInt64, in machine: ConversationMachine, near timeMs: UInt64 = 0
    ) -> [Message] {
        let place = EntryPlace(conversation: machine.id, seq: seq)
        guard let record else { return [Message(damagedAt: place, near: timeMs)] }
        return record.messages(at: place, readBy: machine.record.readBy, in: state.device)
    }

    /// The number of the user's messages that are not in a log yet.
    package var queuedCount: Int {
        state.conversations.all.reduce(0) { $0 + queuedMessages(in: $1.machine).count }
    }

    /// The user's messages in a conversation that are not in the log yet, in the order of their times.
    func queuedMessages(in machine: ConversationMachine) -> [Message] {
        let queued = machine.queuedMessages
        let uploads = state.device.uploads.messages(in: machine.id).map { $0.queuedMessage(in: machine.id) }
        return uploads.isEmpty ? queued : (queued + uploads).sorted { $0.sentAtMs < $1.sentAtMs }
    }

    // MARK: Texts for another process

    /// Prepares a text that another process will send, because this process has opened the profile for reading only. Returns the
    /// future message, and the stored form of the request to the other process.
    ///
    /// - Parameter now: the time of the device's clock, in milliseconds since 1970.
    package func queuedForOwner(
        _ text: String, to id: ConversationID, replyTo: EntryID?, expiresAfter: UInt32?, now: UInt64
    ) throws(KithError) -> (message: Message, request: [UInt8]) {
        try checkSending(text, to: id)
        let machine = try state.conversations.conversation(id).machine
        let outgoing = OutgoingMessage(
            id: newEntryID, .text(MessageText(text)), replyTo: replyTo, expiresAfter: expiresAfter)
        let item = OutboxItem(
            entryID: outgoing.id, sentAt: now, replyTo: replyTo, expiresAfter: expiresAfter,
            body: .content(outgoing.body))
        guard let message = machine.queuedMessage(item) else { throw .notFound("conversation") }
        return (message, SendRequest(outgoing, to: id, channel: machine.record.channel).encoded)
    }

    /// Prepares a change of a message that another process will send, because this process has opened the profile for reading
    /// only. Returns the stored form of the request to the other process.
    package func queuedForOwner(
        _ change: RequestedChange, of seq: UInt64, in id: ConversationID
    ) throws(KithError) -> [UInt8] {
        let outgoing = OutgoingMessage(id: newEntryID, try checkedChange(change.change, of: seq, in: id))
        let channel = try state.conversations.conversation(id).machine.record.channel
        return SendRequest(outgoing, to: id, channel: channel).encoded
    }

    /// Returns the progress of a text that was stored for another process, according to the current contents of the store.
    package func progress(of message: Message) throws(KithError) -> QueuedSendStatus {
        let store = state.device.store
        // The text moves from table to table in this order, so no read can miss it.
        for value in try reading({ () throws(StoreError) in try store.allValues(.request) }) {
            if (try? SendRequest(stored: value.bytes))?.entryID == message.id { return .waiting }
            if case .send(message.id, _, _, _)? = try? FileRequest(stored: value.bytes) { return .waiting }
        }
        let owner = message.conversation.rawValue
        for value in try reading({ () throws(StoreError) in try store.values(.upload, owner: owner) }) {
            if (try? UploadRecord(stored: value.bytes))?.entryID == message.id { return .message(message) }
        }
        for value in try reading({ () throws(StoreError) in try store.values(.outbox, owner: owner) }) {
            if (try? OutboxItem(stored: value.bytes))?.entryID == message.id { return .message(message) }
        }
        let said = try recentMessage(message.id, in: message.conversation)
        return said.map(QueuedSendStatus.message) ?? .refused
    }

    // MARK: Explaining

    /// Formats a time in UTC. Accepts every value, because a sender can claim any time.
    private static func time(_ ms: UInt64) -> String { UTCTime(milliseconds: ms).description }

    package func explain(_ seq: UInt64, in id: ConversationID) throws(KithError) -> [Sentence] {
        let machine = try state.conversations.conversation(id).machine
        let contacts = state.device.contacts
        let name = machine.record.name(of: id, contacts)
        guard let (_, found) = try state.device.entries(of: id, seq...seq, limit: 1, newestFirst: false).first else {
            throw .notFound("entry \(seq)")
        }
        guard let record = found else {
            return ["Entry \(seq) of \(quoted: name) is damaged on this device's disk."]
        }
        let kind: Sentence = record.kind == .turn ? "a turn: it ended the epoch" : "a message"
        var lines: [Sentence] = [
            "Entry \(seq) of \(quoted: name), in epoch \(record.epoch), \(kind).",
            "The relay took it at \(own: Self.time(record.receivedAtMs)) by its clock, under the id \(own: Hex.encode(record.id.bytes)).",
        ]
        switch record.author {
        case .me: lines.append("This device sent it: encrypted in epoch \(record.epoch), accepted as entry \(seq).")
        case .contact(let contact):
            let person = contacts[contact]
            let sender: Sentence = person.map { "\(name: $0.name)" } ?? "somebody"
            lines.append(
                "\(sender) signed it with a device that the account key certifies (\(person?.trust.sentence ?? "unverified"))."
            )
            if record.sentAtMs > 0 {
                lines.append(
                    "It was number \(record.generation + 1) of that sender in the epoch, sent at \(own: Self.time(record.sentAtMs)) by the sender's clock, who had seen the log up to entry \(record.sawThrough)."
                )
            }
        case .unknown: lines.append("Its sender is unknown.")
        }
        switch record.body {
        case .text, .files: lines.append("It decrypted, and its signature, its id and its place in the log are right.")
        case .notices(let notices):
            lines.append(
                notices.isEmpty
                    ? "It holds nothing to show: a receipt, an address, a proposal, or a message of somebody whom you had blocked."
                    : "It changed the conversation:")
            lines += notices.map { "  \($0.sentence)" }
        case .unknown(let kind, _): lines.append("It is of kind \(kind), which this Kith does not know. It is kept.")
        case .expired: lines.append("Its text has expired.")
        case .deleted: lines.append("Its author has deleted it.")
        case .deletedHere: lines.append("You have deleted it on this device.")
        case .change(let note): lines.append(note.sentence)
        }
        lines += record.marks.sentences(state.device)
        for warning in record.warnings { lines.append("Warning: \(warning.sentence)") }
        let readers = machine.record.readBy.readers(of: seq).compactMap {
            contacts[$0].map { "\(name: $0.name)" as Sentence }
        }
        if record.author == .me {
            lines.append(
                !readers.isEmpty
                    ? "Read by \(readers.joined(separator: ", "))."
                    : machine.record.memberCount > ClientLimits.membersWithReceipts
                        ? "In a group of more than \(ClientLimits.membersWithReceipts), members don't report what they read."
                        : "No member has reported reading it yet.")
        }
        lines.append(
            "The log's hash after it, which members compare with every message, begins \(own: Hex.encode(record.viewHash.prefix(8)))."
        )
        return lines
    }
}

/// The progress of a text that was stored for another process.
package enum QueuedSendStatus: Hashable, Sendable {
    /// The process that has opened the profile has not taken the text yet. If the process ends, the next process that opens the
    /// profile takes the text.
    case waiting
    /// The text was taken. The value is the message in its current state.
    case message(Message)
    /// The text was taken, but can no longer be sent in that conversation.
    case refused
}
