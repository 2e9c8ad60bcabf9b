import KithSupport
import KithWire
import MLS

// What is shown of the state. Nothing here changes any.

extension Messenger {
    package var identity: ProfileIdentity {
        ProfileIdentity(
            name: profile.name, deviceName: profile.deviceName, accountKey: profile.account.publicKey)
    }

    // MARK: Conversations

    package func conversationSummaries() throws(KithError) -> [ConversationSummary] {
        var summaries: [ConversationSummary] = []
        for conversation in conversations.values { summaries.append(try summary(of: conversation)) }
        return summaries.sorted { ($0.lastActivityMs, $0.id) > ($1.lastActivityMs, $1.id) }
    }

    package func conversationSummary(_ id: ConversationID) throws(KithError) -> ConversationSummary {
        guard let conversation = conversations[id] else { throw .notFound("conversation") }
        return try summary(of: conversation)
    }

    func summary(of conversation: Conversation) throws(KithError) -> ConversationSummary {
        let record = conversation.record
        guard let relay = relays[record.relay] else { throw .store(.damaged(.relay)) }
        return ConversationSummary(
            id: conversation.id, name: name(of: conversation), contact: record.contact, isDirect: record.isDirect,
            status: record.status,
            memberCount: record.memberCount, unread: record.unread, readThrough: record.readSeq,
            lastSeq: record.lastSeq, lastActivityMs: record.lastActivityMs, relay: relay.address,
            relayPin: relay.pin,
            isSuspect: record.isSuspect, isPending: isPending(conversation),
            hasAnswer: record.hasAnswer, isInviting: isInviting(to: conversation))
    }

    func name(of conversation: Conversation) -> String {
        if conversation.record.isDirect, let contact = conversation.record.contact {
            return contacts[contact]?.name ?? ""
        }
        if !conversation.record.title.isEmpty { return conversation.record.title }
        // It is being made: the invite said a name.
        for intent in conversation.record.intents {
            if case .add(let targets) = intent.change, let alias = targets.first?.alias { return alias }
        }
        return "conversation \(conversation.id.rawValue)"
    }

    package func members(of id: ConversationID) throws(KithError) -> [Member] {
        guard let conversation = conversations[id] else { throw .notFound("conversation") }
        // A backup does not say who was a member.
        guard try hasGroup(conversation) else { return [] }
        return try group(of: conversation).group.members.compactMap { _, leaf in
            guard let certificate = leaf.credential.deviceCertificate else { return nil }
            if certificate.accountKey == profile.account.publicKey {
                return Member(
                    isMe: true, contact: nil, name: profile.name, trust: .compared, deviceName: certificate.deviceName)
            }
            let contact = contacts[certificate.accountKey]
            // A key that was given up for another one is still somebody's, and not the contact's of that name.
            return Member(
                isMe: false, contact: contact?.id, name: contact?.name ?? "\(certificate.name) (old key)",
                trust: contact?.trust ?? .unverified, deviceName: certificate.deviceName)
        }
    }

    // MARK: Contacts, invites, relays

    package var contactList: [Contact] { contacts.sorted }

    package func safetyNumber(with id: ContactID) throws(KithError) -> SafetyNumber {
        let contact = try contacts.contact(id)
        return SafetyNumber(profile.account.publicKey, contact.accountKey)
    }

    package var openInvites: [OpenInvite] { inboxes.keys.sorted().compactMap(openInvite) }

    func openInvite(_ id: InboxID) -> OpenInvite? {
        guard let record = inboxes[id]?.record, !record.isClosing, !record.isOver(now: wall),
            case .invite(let isReusable, let expiresAt) = record.purpose, let point = relays[record.relay]
        else { return nil }
        let invite = Invite(inbox: address(of: record, at: point), name: profile.name, expiresAt: expiresAt)
        return OpenInvite(id: id, invite: invite, isReusable: isReusable)
    }

    /// The relays that something of this profile's is at, or a contact, or that a command waits for.
    ///
    /// One that nothing uses is left of a command that did not succeed.
    package var relayUse: [RelayUse] {
        let named = contacts.all.compactMap { $0.inbox.flatMap { relays.known($0.relay) } }
        let used = Set(relaysInUse + named + nameRequests.relays)
        return relays.sorted.compactMap { id, point in
            let places = conversations.values.count { $0.record.relay == id }
            let inboxes = inboxes.values.count { $0.record.relay == id }
            return places > 0 || used.contains(id)
                ? RelayUse(relay: point, conversations: places, inboxes: inboxes) : nil
        }
    }

    // MARK: Messages

    package func history(
        of id: ConversationID, before seq: UInt64?, limit: Int
    ) throws(KithError) -> [Message] {
        guard let conversation = conversations[id] else { throw .notFound("conversation") }
        var lines: [Message] = []
        if seq == nil {
            lines = conversation.outbox.items.compactMap { queuedMessage($0, in: conversation) }.reversed()
        }
        var below = seq ?? StoreKey.highest
        while lines.count < limit, below > 0 {
            let rows = try entries(of: id, 0...below - 1, limit: max(32, limit), newestFirst: true)
            guard let last = rows.last else { break }
            for (seq, record) in rows where lines.count < limit {
                let near = lines.last?.sentAtMs ?? conversation.record.lastActivityMs
                lines += messages(of: record, seq: seq, in: conversation, near: near).filter(\.isShown).reversed()
            }
            below = last.seq
        }
        return lines.prefix(limit).reversed()
    }

    package func messages(in id: ConversationID, after seq: UInt64, limit: Int) throws(KithError) -> [Message] {
        guard let conversation = conversations[id] else { throw .notFound("conversation") }
        var lines: [Message] = []
        var above = seq
        while lines.count < limit, above < StoreKey.highest {
            let rows = try entries(of: id, above + 1...StoreKey.highest, limit: max(32, limit), newestFirst: false)
            guard let last = rows.last else { break }
            for (seq, record) in rows where lines.count < limit {
                let near = lines.last?.sentAtMs ?? 0
                lines += messages(of: record, seq: seq, in: conversation, near: near).filter(\.isShown)
            }
            above = last.seq
        }
        return Array(lines.prefix(limit))
    }

    /// A message of one's own that was said lately, by its id.
    package func recentMessage(_ entry: EntryID, in id: ConversationID) throws(KithError) -> Message? {
        guard let conversation = conversations[id] else { throw .notFound("conversation") }
        let rows = try entries(of: id, 0...StoreKey.highest, limit: ClientLimits.recentEntries, newestFirst: true)
        guard let (seq, found) = rows.first(where: { $0.record?.id == entry }), let record = found else { return nil }
        return messages(of: record, seq: seq, in: conversation).first
    }

    package func search(_ words: String, in id: ConversationID?, limit: Int) throws(KithError) -> [Message] {
        let wanted = words.lowercased().split(whereSeparator: \.isWhitespace)
        guard !wanted.isEmpty else { return [] }
        var found: [Message] = []
        for conversation in conversations.values where id == nil || id == conversation.id {
            var below = StoreKey.highest
            var count = 0
            while count < limit, below > 0 {
                let rows = try entries(of: conversation.id, 0...below - 1, limit: 1_000, newestFirst: true)
                guard let last = rows.last else { break }
                for (seq, record) in rows where count < limit {
                    guard let record, case .text(let text) = record.body else { continue }
                    let lower = text.lowercased()
                    guard wanted.allSatisfy({ lower.contains($0) }) else { continue }
                    found += messages(of: record, seq: seq, in: conversation)
                    count += 1
                }
                below = last.seq
            }
        }
        return Array(found.sorted { $0.sentAtMs > $1.sentAtMs }.prefix(limit))
    }

    /// The lines of one entry. One that is damaged is a notice in its place, with the time of a line beside it.
    private func messages(
        of record: EntryRecord?, seq: UInt64, in conversation: Conversation, near timeMs: UInt64
    ) -> [Message] {
        if let record { return messages(of: record, seq: seq, in: conversation) }
        let id = EntryID(conversation.id.rawValue.encoded + seq.encoded)
        return [
            Message(
                id: id ?? .random(), conversation: conversation.id, seq: seq, author: .kith,
                body: .notice(.unreadable(.damaged, from: nil)), sentAtMs: timeMs, replyTo: nil, delivery: nil,
                warnings: [])
        ]
    }

    /// The lines of one entry.
    func messages(of record: EntryRecord, seq: UInt64, in conversation: Conversation) -> [Message] {
        func line(_ body: Message.Body, _ author: Message.Author) -> Message {
            var delivery: Delivery?
            var readers: [ContactID] = []
            if author == .me {
                readers = conversation.record.readBy.filter { $0.value >= seq }.keys.sorted()
                delivery = readers.isEmpty ? .onRelay : .read(by: readers.count)
            }
            return Message(
                id: record.id, conversation: conversation.id, seq: seq, author: author, body: body,
                sentAtMs: record.sentAtMs > 0 ? record.sentAtMs : record.receivedAtMs, replyTo: record.replyTo,
                delivery: delivery, warnings: record.warnings, readers: readers)
        }
        let author: Message.Author =
            switch record.author {
            case .me: .me
            case .unknown:
                record.body.isForPeople ? .contact(ContactID(rawValue: 0), name: "somebody", .unverified) : .kith
            case .contact(let id):
                contacts[id].map { .contact(id, name: $0.name, $0.trust) }
                    ?? .contact(id, name: "somebody", .unverified)
            }
        switch record.body {
        case .text(let text): return [line(.text(text), author)]
        case .unknown(let kind, _): return [line(.needsNewerKith(kind: kind), author)]
        case .notices(let notices): return notices.map { line(.notice($0), .kith) }
        case .expired: return []
        }
    }

    /// A text of one's own that is not in the log yet.
    func queuedMessage(_ item: OutboxItem, in conversation: Conversation) -> Message? {
        guard case .content(.text(let text)) = item.body else { return nil }
        return Message(
            id: item.entryID, conversation: conversation.id, seq: nil, author: .me, body: .text(text),
            sentAtMs: item.sentAt, replyTo: item.replyTo,
            delivery: conversation.acknowledged.contains(item.entryID) ? .onRelay : .queued, warnings: [])
    }

    /// How many texts of one's own are not in the log yet.
    package var queuedCount: Int {
        conversations.values.reduce(0) { count, conversation in
            count + conversation.outbox.items.count { queuedMessage($0, in: conversation) != nil }
        }
    }

    // MARK: Explaining

    /// A time in words, in UTC: a sender may claim any.
    private static func time(_ ms: UInt64) -> String { UTCTime(milliseconds: ms).description }

    package func explain(_ seq: UInt64, in id: ConversationID) throws(KithError) -> [Sentence] {
        guard let conversation = conversations[id] else { throw .notFound("conversation") }
        guard let (_, found) = try entries(of: id, seq...seq, limit: 1, newestFirst: false).first else {
            throw .notFound("entry \(seq)")
        }
        guard let record = found else {
            return ["Entry \(seq) of \(quoted: name(of: conversation)) is damaged on this device's disk."]
        }
        let kind: Sentence = record.kind == .turn ? "a turn: it ended the epoch" : "a message"
        var lines: [Sentence] = [
            "Entry \(seq) of \(quoted: name(of: conversation)), in epoch \(record.epoch), \(kind).",
            "The relay took it at \(own: Self.time(record.receivedAtMs)) by its clock, under the id \(own: Hex.encode(record.id.bytes)).",
        ]
        switch record.author {
        case .me: lines.append("This device sent it: encrypted in epoch \(record.epoch), accepted as entry \(seq).")
        case .contact(let contact):
            let person = contacts[contact]
            let name: Sentence = person.map { "\(name: $0.name)" } ?? "somebody"
            lines.append(
                "\(name) signed it with a device that the account key certifies (\(person?.trust.sentence ?? "unverified"))."
            )
            if record.sentAtMs > 0 {
                lines.append(
                    "It was number \(record.generation + 1) of that sender in the epoch, sent at \(own: Self.time(record.sentAtMs)) by the sender's clock, who had seen the log up to entry \(record.sawThrough)."
                )
            }
        case .unknown: lines.append("Who sent it is not known.")
        }
        switch record.body {
        case .text: lines.append("It decrypted, and its signature, its id and its place in the log are right.")
        case .notices(let notices):
            lines.append(
                notices.isEmpty
                    ? "It holds nothing to show: a receipt, an address or a proposal." : "It changed the conversation:")
            lines += notices.map { "  \($0.sentence)" }
        case .unknown(let kind, _): lines.append("It is of kind \(kind), which this Kith does not know. It is kept.")
        case .expired: lines.append("Its text was to be deleted after a while. That time is over.")
        }
        for warning in record.warnings { lines.append("Warning: \(warning.sentence)") }
        let readers = conversation.record.readBy.filter { $0.value >= seq }.keys.sorted().compactMap {
            contacts[$0].map { "\(name: $0.name)" as Sentence }
        }
        if record.author == .me {
            lines.append(
                readers.isEmpty
                    ? "Nobody said yet that they have read it." : "Read by \(readers.joined(separator: ", ")).")
        }
        lines.append(
            "The log's hash after it, which members compare with every message, begins \(own: Hex.encode(record.viewHash.prefix(8)))."
        )
        return lines
    }
}

extension Message {
    /// Whether it is something that people say.
    var isForPeople: Bool {
        switch body {
        case .text, .needsNewerKith: true
        case .notice: false
        }
    }

    /// Whether it is shown in a conversation. Renewals of keys happen all the time.
    package var isShown: Bool {
        if case .notice(.renewed) = body { false } else { true }
    }
}

extension EntryRecord.Body {
    /// Whether it is something that people say.
    var isForPeople: Bool {
        switch self {
        case .text, .unknown: true
        case .notices, .expired: false
        }
    }
}
