import KithWire
import MLS
import TLSCodec

// The heart: entries of a conversation's log, one after the other.

extension Messenger {
    func process(_ entries: [Entry], of conversation: Conversation) throws(KithError) {
        for entry in entries {
            guard conversation.record.status.isOpen, conversation.sync.awaited == nil else { return }
            try process(entry, of: conversation)
        }
        try didCatchUp(conversation)
        if conversation.sync.isLive { try pump(conversation) }
    }

    private func process(_ entry: Entry, of conversation: Conversation) throws(KithError) {
        // Past the highest, no store could take it.
        guard let view = conversation.record.view, entry.seq == view.seq + 1, entry.seq < StoreKey.highest,
            entry.epoch == conversation.record.epoch
        else { return try stop(conversation, .brokenLog) }
        let after = view.after(entry)
        try checkKept(entry, of: conversation)
        let loaded = try group(of: conversation)
        if let pending = loaded.pending, pending.entryID == entry.id {
            try processOwnTurn(entry, pending, after, conversation, loaded)
        } else if let item = conversation.outbox.item(entry.id) {
            try processOwn(entry, item, after, conversation)
        } else {
            try processOthers(entry, after, conversation, loaded)
        }
        try settleClaims(conversation)
    }

    /// Moves on past an entry that did not end the epoch.
    private func advance(_ conversation: Conversation, to view: LogView) {
        conversation.record.advance(to: view)
        conversation.comparison.advance(to: view)
        touch(conversation)
    }

    /// What the relay said it has must be where it said.
    private func checkKept(_ entry: Entry, of conversation: Conversation) throws(KithError) {
        for id in conversation.acknowledged.take(at: entry.seq) where id != entry.id {
            try warn(conversation, .notKept(seq: entry.seq))
        }
    }

    /// Tells of warnings; sending waits for the user if the relay showed different logs.
    func tell(_ warnings: [Warning], _ conversation: Conversation) throws(KithError) {
        for warning in warnings {
            if case .differentLogs = warning {
                try warn(conversation, warning)
            } else {
                tell(warning, in: conversation)
            }
        }
    }

    func warn(_ conversation: Conversation, _ warning: Warning) throws(KithError) {
        conversation.record.suspect()
        touch(conversation)
        tell(warning, in: conversation)
        tell(.conversation(try summary(of: conversation)))
    }

    // MARK: One's own

    private func processOwn(
        _ entry: Entry, _ item: OutboxItem, _ view: LogView, _ conversation: Conversation
    ) throws(KithError) {
        // Another payload under one's own id is nothing that this device said.
        guard entry.kind == .message, let attempt = item.attempt, attempt.payload.elementsEqual(entry.payload) else {
            try warn(conversation, .notKept(seq: entry.seq))
            return try processOthers(entry, view, conversation, try group(of: conversation))
        }
        _ = conversation.outbox.remove(item.entryID, in: &step)
        _ = conversation.sync.didLand(item.entryID)
        conversation.acknowledged.remove(item.entryID)
        let seen = view.seq - 1
        var record = EntryRecord(
            entry, view: view, author: .me, sentAtMs: item.sentAt, sawThrough: seen, replyTo: item.replyTo,
            expiresAfter: item.expiresAfter, body: .notices([]))
        if case .content(let body) = item.body {
            switch body {
            case .text(let text): record.body = .text(text)
            case .title(let title): record.body = .notices([.renamed(title, by: profile.name)])
            case .receipt, .contactCard: break
            case .unknown(let kind, let bytes): record.body = .unknown(kind: kind, bytes)
            }
        }
        advance(conversation, to: view)
        didNote(record, at: entry, in: conversation)
        if item.isCard {
            for place in commands.places(in: conversation.id) { finishIfInvited(place) }
        }
        if case .content(.title(let title)) = item.body {
            conversation.record.rename(title)
            tell(.conversation(try summary(of: conversation)))
        }
    }

    /// Stores an entry that may be shown, and says so.
    func didNote(_ record: EntryRecord, at entry: Entry, in conversation: Conversation) {
        store(record, seq: entry.seq, of: conversation)
        if let seconds = record.expiresAfter, case .text = record.body {
            let place = EntryPlace(conversation: conversation.id, seq: entry.seq)
            let expiry = Expiry(
                after: seconds, wall: wall, relay: clocks.relayTime(conversation.record.relay) ?? wall)
            erasures.add(place, expiry, in: &step)
        }
        let lines = messages(of: record, seq: entry.seq, in: conversation)
        if lines.contains(where: \.isShown) { conversation.notices.didShow() }
        if lines.contains(where: \.isForPeople) { conversation.record.didShow(at: entry.receivedAtMs) }
        for line in lines { tell(.message(line)) }
    }

    // MARK: Others'

    private func processOthers(
        _ entry: Entry, _ view: LogView, _ conversation: Conversation, _ loaded: Conversation.LoadedGroup,
        commit: [UInt8]? = nil
    ) throws(KithError) {
        if commit == nil, entry.kind == .turn, let reference = try? TurnReference(decoding: entry.payload) {
            return wait(for: reference, of: entry, conversation)
        }
        let received: ReceivedMessage
        do throws(MLSError) {
            let message = try MLSMessage.decode(commit ?? Array(entry.payload))
            // Members write what only members can read.
            guard case .privateMessage(let sealed) = message else { throw .message(.wireFormat) }
            if sealed.contentType == .proposal {
                received = try takeProposal(message, loaded)
            } else {
                received = try loaded.group.process(message, in: environment)
            }
        } catch {
            return try didNotRead(entry, error.unreadableReason, view, conversation)
        }
        try didHearFromOthers(conversation)
        switch received {
        case .application(let message):
            guard entry.kind == .message else { return try didNotRead(entry, .malformed, view, conversation) }
            try processApplication(message, entry, view, conversation, loaded)
        case .proposal(let proposal):
            guard entry.kind == .message, proposal.authenticatedData.isEmpty else {
                return try didNotRead(entry, .malformed, view, conversation)
            }
            advance(conversation, to: view)
            let author = author(of: proposal.sender, loaded.group)
            didNote(EntryRecord(entry, view: view, author: author, body: .notices([])), at: entry, in: conversation)
        case .commit(let staged):
            guard entry.kind == .turn, staged.effect.reInit == nil, mayAdd(staged.effect, loaded.group, conversation)
            else {
                return try didNotRead(entry, .malformed, view, conversation)
            }
            try processTurn(staged, entry, view, conversation, loaded)
        }
    }

    /// Somebody whom this device invited has come: a member other than this device has signed an entry.
    private func didHearFromOthers(_ conversation: Conversation) throws(KithError) {
        guard !conversation.record.hasAnswer else { return }
        conversation.record.didHear()
        touch(conversation)
        tell(.conversation(try summary(of: conversation)))
    }

    /// A conversation of two stays one: only devices of those who are in it may be added.
    private func mayAdd(_ effect: CommitEffect, _ group: Group, _ conversation: Conversation) -> Bool {
        guard conversation.record.isDirect else { return true }
        return effect.added.allSatisfy { _, leaf in
            guard let account = leaf.credential.deviceCertificate?.accountKey else { return false }
            return !group.leaves(of: account).isEmpty
        }
    }

    /// A commit that is too long for the log has to come first. Nothing can follow it in this epoch.
    private func wait(for reference: TurnReference, of entry: Entry, _ conversation: Conversation) {
        conversation.sync.waitForCommit(of: entry, reference)
        fetch(reference.commit, at: conversation.record.relay, for: .commit(conversation.id), since: now)
    }

    func didFetchCommit(_ bytes: [UInt8], _ id: ConversationID) throws(KithError) {
        guard let conversation = conversations[id], let (entry, reference) = conversation.sync.takeAwaited()
        else { return }
        guard reference.isTo(bytes), let view = conversation.record.view else {
            return try stop(conversation, .brokenLog)
        }
        try processOthers(entry, view.after(entry), conversation, try group(of: conversation), commit: bytes)
        // The relay may have said already that the epoch is over.
        try open(conversation)
    }

    /// The one proposal that Kith knows is a member's to be taken out itself. Any other would have to be committed by
    /// somebody who did not want it, or could not be committed and would hold up everybody.
    private func takeProposal(
        _ message: MLSMessage, _ loaded: Conversation.LoadedGroup
    ) throws(MLSError) -> ReceivedMessage {
        var next = loaded.group
        let received = try next.process(message, in: environment)
        guard case .proposal(let proposal) = received, case .member(let sender) = proposal.sender,
            proposal.proposal == .remove(sender)
        else { throw .proposals(.unsupportedType) }
        loaded.group = next
        return received
    }

    /// An entry that can't be used. A message is passed over, and said; past a turn there is no way on.
    private func didNotRead(
        _ entry: Entry, _ reason: UnreadableReason, _ view: LogView, _ conversation: Conversation
    ) throws(KithError) {
        guard entry.kind == .turn else {
            return passOver(
                EntryRecord(entry, view: view, author: .unknown, body: .notices([])), reason, view, conversation)
        }
        let record = EntryRecord(
            entry, view: view, author: .unknown, body: .notices([.unreadable(.invalidCommit, from: nil)]))
        didNote(record, at: entry, in: conversation)
        try stop(conversation, .invalidCommit, through: entry.seq)
    }

    /// Moves on past a message that can't be used, and says so.
    private func passOver(
        _ record: EntryRecord, _ reason: UnreadableReason, _ view: LogView, _ conversation: Conversation
    ) {
        advance(conversation, to: view)
        let name = record.author == .unknown ? nil : name(of: record.author)
        notePassedOver(record, reason, from: name, in: conversation)
    }

    private func processApplication(
        _ message: ApplicationMessage, _ entry: Entry, _ view: LogView, _ conversation: Conversation,
        _ loaded: Conversation.LoadedGroup
    ) throws(KithError) {
        let author = author(of: .member(message.sender), loaded.group)
        // Members authenticate nothing beside the content.
        guard message.authenticatedData.isEmpty,
            let content = try? Content(decoding: ContentPadding.unpad(message.data))
        else {
            let record = EntryRecord(
                entry, view: view, author: author, generation: message.generation, body: .notices([]))
            return passOver(record, .malformed, view, conversation)
        }
        guard content.messageID == entry.id, try isNew(entry.id, in: conversation) else {
            let reason: UnreadableReason = content.messageID == entry.id ? .repeated : .wrongID
            let record = EntryRecord(
                entry, view: view, author: author, generation: message.generation, body: .notices([]))
            return passOver(record, reason, view, conversation)
        }
        var warnings = try compare(content.view, of: message.sender, at: entry.seq, conversation)
        if let warning = gap(message.sender, at: entry.seq, conversation, loaded.group) { warnings.append(warning) }
        advance(conversation, to: view)
        var record = EntryRecord(
            entry, view: view, author: author, generation: message.generation, sentAtMs: content.sentAt,
            sawThrough: min(content.view.seq, entry.seq - 1), replyTo: content.replyTo,
            expiresAfter: content.expiresAfter,
            body: .notices([]), warnings: warnings)
        try take(content, author, &record, conversation)
        if case .contact(let contact) = author {
            compareClock(with: contact, in: conversation, signedAt: content.sentAt)
        }
        didNote(record, at: entry, in: conversation)
        try tell(warnings, conversation)
    }

    /// What a message says, done.
    private func take(
        _ content: Content, _ author: EntryRecord.Author, _ record: inout EntryRecord, _ conversation: Conversation
    ) throws(KithError) {
        switch content.body {
        case .text(let text):
            record.body = .text(text)
            conversation.record.didReceive()
        case .unknown(let kind, let bytes):
            record.body = .unknown(kind: kind, bytes)
            conversation.record.didReceive()
        case .title(let title):
            guard !conversation.record.isDirect else { return }
            conversation.record.rename(title)
            record.body = .notices([.renamed(title, by: name(of: author))])
            tell(.conversation(try summary(of: conversation)))
        case .receipt(let seq):
            guard case .contact(let contact) = author else { return }
            try didRead(contact, through: min(seq, record.sawThrough), conversation)
        case .contactCard(let address):
            guard case .contact(let contact) = author else { return }
            contacts.takeCard(address, of: contact, in: &step)
        }
    }

    /// A member says that it has read everything up to a seq.
    private func didRead(_ contact: ContactID, through seq: UInt64, _ conversation: Conversation) throws(KithError) {
        guard seq > conversation.record.readBy[contact] ?? 0 else { return }
        let before = conversation.record.readBy[contact] ?? 0
        conversation.record.didRead(by: contact, through: seq)
        // The last of one's own messages that it covers stands for all.
        for (seq, record) in try entries(of: conversation.id, before + 1...seq, limit: 50, newestFirst: true) {
            guard let record, record.author == .me, case .text = record.body else { continue }
            for line in messages(of: record, seq: seq, in: conversation) { tell(.message(line)) }
            return
        }
    }

    private func isNew(_ id: EntryID, in conversation: Conversation) throws(KithError) -> Bool {
        if conversation.recentIDs == nil {
            var ids = RecentIDs()
            let recent = try entries(of: conversation.id, 0...StoreKey.highest, limit: 1_000, newestFirst: true)
            for (_, record) in recent { if let record { _ = ids.insert(record.id) } }
            conversation.recentIDs = ids
        }
        return conversation.recentIDs?.insert(id) ?? true
    }
}

extension MLSError {
    /// Why an entry could not be read, for people.
    var unreadableReason: UnreadableReason {
        switch self {
        case .malformed: .malformed
        case .message(.generationConsumed): .repeated
        case .message(.generationTooFarAhead): .tooFarAhead
        case .commit, .proposals, .leafNode, .keyPackage, .tree, .preSharedKey: .invalidCommit
        default: .notGenuine
        }
    }
}

extension UInt64 {
    var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
