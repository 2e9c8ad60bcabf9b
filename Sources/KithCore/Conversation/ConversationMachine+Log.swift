import KithWire
import MLS

// Processes the log, one entry after another.

extension ConversationMachine {
    mutating func process(_ entries: [Entry], in device: inout DeviceState) throws(KithError) {
        for entry in entries {
            guard record.status.isOpen, sync.awaited == nil else { return }
            try process(entry, in: &device)
        }
        try didCatchUp(in: &device)
        if sync.isLive { try advance(in: &device) }
    }

    private mutating func process(_ entry: Entry, in device: inout DeviceState) throws(KithError) {
        // The store has no key for an entry beyond the highest seq.
        guard let view = record.view, entry.seq == view.seq + 1, entry.seq < StoreKey.highest,
            entry.epoch == record.epoch
        else { return try stop(.brokenLog, in: &device) }
        let next = LoggedEntry(entry, after: view)
        // An acknowledged entry must be at the position that the relay has stated.
        for id in acknowledged.take(at: entry.seq) where id != entry.id {
            try warn(.notKept(seq: entry.seq), in: &device)
        }
        let loaded = try group(in: &device)
        if let pending = loaded.pending, pending.entryID == entry.id {
            try processOwnTurn(next, pending, in: &device)
        } else if let item = outbox.item(entry.id) {
            try processOwn(next, item, in: &device)
        } else {
            try processOthers(next, in: &device)
        }
        guard comparison.hasClaims, let difference = try comparison.settleClaims(record, in: &device) else { return }
        try warn(difference, in: &device)
    }

    /// Advances to the view after an entry that did not end the epoch.
    private mutating func move(to view: LogView, in device: inout DeviceState) {
        record.advance(to: view)
        comparison.advance(to: view)
        markDirty(in: &device)
    }

    // MARK: Warnings

    /// Reports warnings. If the relay has shown different logs, nothing is sent until the user decides to continue.
    mutating func emit(_ warnings: [Warning], in device: inout DeviceState) throws(KithError) {
        for warning in warnings {
            if case .differentLogs = warning {
                try warn(warning, in: &device)
            } else {
                emit(warning, in: &device)
            }
        }
    }

    /// Reports a warning. A warning that repeats too often is only counted.
    mutating func emit(_ warning: Warning, in device: inout DeviceState) { history.report(warning, in: &device) }

    /// Reports a warning. Nothing is sent until the user decides to continue.
    mutating func warn(_ warning: Warning, in device: inout DeviceState) throws(KithError) {
        record.suspect()
        markDirty(in: &device)
        emit(warning, in: &device)
        try emitSummary(in: &device)
    }

    // MARK: Own entries

    private mutating func processOwn(
        _ next: LoggedEntry, _ item: OutboxItem, in device: inout DeviceState
    ) throws(KithError) {
        let (entry, view) = (next.entry, next.view)
        // An entry with the id of this item but with another payload was not sent by this device.
        guard entry.kind == .message, let attempt = item.attempt, attempt.payload.elementsEqual(entry.payload) else {
            try warn(.notKept(seq: entry.seq), in: &device)
            return try processOthers(next, in: &device)
        }
        _ = outbox.remove(item.entryID, in: &device.step)
        sync.didLand(item.entryID)
        acknowledged.remove(item.entryID)
        var noted = EntryRecord(
            entry, view: view, author: .me, sentAtMs: item.sentAt, sawThrough: view.seq - 1, replyTo: item.replyTo,
            expiresAfter: attempt.expiresAfter, body: .notices([]))
        noted.account = device.account
        noted.blobs = item.blobs
        move(to: view, in: &device)
        if case .content(let body) = item.body {
            try take(body, of: nil, into: &noted, at: entry.seq, in: &device)
        }
        try note(noted, at: entry, in: &device)
        if item.isCard { finishInvitations(in: &device) }
    }

    /// Stores an entry, and reports the messages and notices that users see for it, if any.
    mutating func note(_ noted: EntryRecord, at entry: Entry, in device: inout DeviceState) throws(KithError) {
        try history.note(noted, at: entry, in: &record, &device)
    }

    // MARK: Entries of others

    /// - Parameter commit: the fetched commit, if the payload of the turn only refers to it.
    private mutating func processOthers(
        _ next: LoggedEntry, commit: [UInt8]? = nil, in device: inout DeviceState
    ) throws(KithError) {
        let entry = next.entry
        if commit == nil, entry.kind == .turn, let reference = try? TurnReference(decoding: entry.payload) {
            return wait(for: reference, of: entry, in: &device)
        }
        let loaded = try group(in: &device)
        let received: ReceivedMessage
        do throws(MLSError) {
            received = try loaded.receive(commit ?? Array(entry.payload), in: device.environment)
        } catch {
            return try didNotRead(next, error.unreadableReason, in: &device)
        }
        let isFirst = !record.hasAnswer
        try didHearFromOthers(in: &device)
        switch received {
        case .application(let message):
            guard entry.kind == .message else { return try didNotRead(next, .malformed, in: &device) }
            try processApplication(message, next, in: &device)
        case .proposal(let proposal):
            let author = device.author(of: proposal.sender, loaded.group)
            guard entry.kind == .message, proposal.authenticatedData.isEmpty else {
                return try didNotRead(next, .malformed, from: author, in: &device)
            }
            move(to: next.view, in: &device)
            // If the first entry of an invited person is a proposal to leave, the person declines the invitation.
            let isDeclined = isFirst && record.isDirect && record.epoch == 1
            let notices: [Notice] = isDeclined ? [.declined(by: device.name(of: author))] : []
            try note(
                EntryRecord(entry, view: next.view, author: author, body: .notices(notices)), at: entry, in: &device)
        case .commit(let staged):
            guard entry.kind == .turn, staged.effect.reInit == nil, mayAdd(staged.effect, to: loaded.group) else {
                return try didNotRead(next, .malformed, in: &device)
            }
            try processTurn(staged, next, in: &device)
        }
    }

    /// Notes that an invited person has joined. The proof is an entry that another member has signed.
    private mutating func didHearFromOthers(in device: inout DeviceState) throws(KithError) {
        guard !record.hasAnswer else { return }
        record.didHear()
        markDirty(in: &device)
        try emitSummary(in: &device)
    }

    /// Whether a commit may be applied. In a conversation of two, a commit may only add devices of the two people.
    private func mayAdd(_ effect: CommitEffect, to group: Group) -> Bool {
        guard record.isDirect else { return true }
        return effect.added.allSatisfy { _, leaf in
            guard let account = leaf.credential.deviceCertificate?.accountKey else { return false }
            return !group.leaves(of: account).isEmpty
        }
    }

    /// Fetches a commit that is too long for an entry. The turn that refers to the commit is the last entry of this epoch.
    private mutating func wait(for reference: TurnReference, of entry: Entry, in device: inout DeviceState) {
        sync.waitForCommit(of: entry, reference)
        device.fetch(reference.commit, at: record.relay, for: .commit(id), since: device.now)
    }

    mutating func didFetchCommit(_ bytes: [UInt8], in device: inout DeviceState) throws(KithError) {
        guard let awaited = sync.takeAwaited() else { return }
        guard awaited.reference.isTo(bytes), let view = record.view else { return try stop(.brokenLog, in: &device) }
        try processOthers(LoggedEntry(awaited.entry, after: view), commit: bytes, in: &device)
        // The relay may have already reported the end of the epoch.
        try open(in: &device)
    }

    /// Handles an entry that cannot be used. A message is skipped and reported, unless a person signed it whom the user has
    /// blocked. A turn stops the conversation, because the log cannot be read beyond it.
    ///
    /// - Parameter author: the author, if a member's signature shows it.
    private mutating func didNotRead(
        _ next: LoggedEntry, _ reason: UnreadableReason, from author: EntryRecord.Author = .unknown,
        in device: inout DeviceState
    ) throws(KithError) {
        let entry = next.entry
        guard entry.kind == .turn else {
            let noted = EntryRecord(entry, view: next.view, author: author, body: .notices([]))
            guard device.contacts.hasBlocked(author) else { return passOver(noted, next, reason, in: &device) }
            move(to: next.view, in: &device)
            return try note(noted, at: entry, in: &device)
        }
        let noted = EntryRecord(
            entry, view: next.view, author: .unknown, body: .notices([.unreadable(.invalidCommit, from: nil)]))
        try note(noted, at: entry, in: &device)
        try stop(.invalidCommit, through: entry.seq, in: &device)
    }

    /// Skips a message that can't be used, and reports it.
    private mutating func passOver(
        _ noted: EntryRecord, _ next: LoggedEntry, _ reason: UnreadableReason, in device: inout DeviceState
    ) {
        move(to: next.view, in: &device)
        history.noteUnusable(noted, at: next.entry.seq, reason, in: record, &device)
    }

    private mutating func processApplication(
        _ message: ApplicationMessage, _ next: LoggedEntry, in device: inout DeviceState
    ) throws(KithError) {
        let group = try group(in: &device).group
        let entry = next.entry
        let author = device.author(of: .member(message.sender), group)
        var noted = EntryRecord(
            entry, view: next.view, author: author, generation: message.generation, body: .notices([]))
        noted.account = group.tree[message.sender]?.credential.deviceCertificate?.accountKey
        let checked = try CheckedContent(message, as: entry.id, in: &history, &device)
        if device.contacts.hasBlocked(author) {
            return try processBlocked(checked, of: message.sender, noted, next, in: &device)
        }
        let content: Content
        switch checked {
        case .unusable(let reason): return passOver(noted, next, reason, in: &device)
        case .usable(let usable): content = usable
        }
        var warnings = try comparison.compare(
            content.view, of: message.sender, at: entry.seq, with: &record, in: &device)
        let gap = comparison.newlyMissing(
            of: message.sender, group.missingMessages(from: message.sender), at: entry.seq)
        if gap > 0 { warnings.append(.missingBefore(gap)) }
        move(to: next.view, in: &device)
        noted.sentAtMs = content.sentAt
        noted.sawThrough = min(content.view.seq, entry.seq - 1)
        noted.replyTo = content.replyTo
        noted.expiresAfter = content.expiresAfter
        noted.warnings = warnings
        try take(content.body, of: message.sender, into: &noted, at: entry.seq, in: &device)
        if case .contact(let contact) = author {
            device.compareClock(with: contact, at: record.relay, signedAt: content.sentAt)
        }
        try note(noted, at: entry, in: &device)
        device.fetchAutomatically(noted.body, from: author, at: EntryPlace(conversation: id, seq: entry.seq))
        try emit(warnings, in: &device)
    }

    /// Processes a message of a blocked person. The message counts as an entry of the log like any other. Its content is
    /// dropped, unless all members have to agree on the content. A different view of the log is stored as evidence against the
    /// relay, for the explanation of the entry. It is not reported, because a blocked person could otherwise stop this device's
    /// messages at any time.
    private mutating func processBlocked(
        _ checked: CheckedContent, of sender: LeafIndex, _ noted: EntryRecord, _ next: LoggedEntry,
        in device: inout DeviceState
    ) throws(KithError) {
        let entry = next.entry
        guard case .usable(let content) = checked else {
            move(to: next.view, in: &device)
            return try note(noted, at: entry, in: &device)
        }
        var noted = noted
        noted.warnings = try comparison.compare(content.view, of: sender, at: entry.seq, with: &record, in: &device)
            .filter(\.isAboutRelay)
        move(to: next.view, in: &device)
        noted.sentAtMs = content.sentAt
        noted.sawThrough = min(content.view.seq, entry.seq - 1)
        if content.body.concernsAllMembers {
            try take(content.body, of: sender, into: &noted, at: entry.seq, in: &device)
            if !content.body.isShownIfBlocked { noted.body = .notices([]) }
        }
        try note(noted, at: entry, in: &device)
    }

    /// Performs the effect of the content of a message in the log, and adds the content to the message's record.
    ///
    /// - Parameter sender: the sender's leaf; `nil` for this device's own message.
    private mutating func take(
        _ body: Content.Body, of sender: LeafIndex?, into noted: inout EntryRecord, at seq: UInt64,
        in device: inout DeviceState
    ) throws(KithError) {
        let isMine = noted.author == .me
        if body.isMessage, let sender { didSay(noted.author, sender, at: seq, in: &device) }
        switch body {
        case .text(let text):
            noted.body = .text(text)
            if !isMine { record.didReceive() }
        case .files(let files):
            noted.body = .files(files)
            if !isMine { record.didReceive() }
        case .unknown(let kind, let bytes):
            noted.body = .unknown(kind: kind, bytes)
            if !isMine { record.didReceive() }
        case .title(let title):
            guard !record.isDirect else { return }
            record.rename(title)
            noted.body = .notices([.renamed(title, by: device.name(of: noted.author))])
            try emitSummary(in: &device)
        case .timer(let seconds):
            guard record.timer != seconds else { return }
            record.setTimer(seconds)
            noted.body = .notices([.timer(seconds: seconds, by: device.name(of: noted.author))])
            try emitSummary(in: &device)
        case .change(let change, let target):
            let before = (record.pins, record.unread)
            let logged = LoggedChange(change, of: target, by: noted, at: seq)
            noted.body = try logged.apply(to: &record, of: id, in: &device)
            if before != (record.pins, record.unread) { try emitSummary(in: &device) }
        case .privateRequest(let sealed):
            guard case .contact(let contact) = noted.author else { return }
            let request = PrivateRequest(opening: sealed, in: noted.id, of: try group(in: &device).group)
            device.takePrivateRequest(request, of: contact, in: id)
        case .receipt(let read):
            guard case .contact(let contact) = noted.author else { return }
            try didRead(contact, through: min(read, noted.sawThrough), in: &device)
        case .contactCard(let address):
            guard case .contact(let contact) = noted.author, let sender else { return }
            let certificate = try group(in: &device).group.tree[sender]?.credential.deviceCertificate
            device.contacts.takeCard(address, of: contact, from: certificate?.deviceID, in: &device.step)
        }
    }

    /// Adds a line to the history where the conversation begins for this device.
    mutating func noteBeginning(at seq: UInt64, in device: inout DeviceState) throws(KithError) {
        guard seq > 0 else { return }
        var notices: [Notice] = []
        if let from = record.takeMissedFrom(), from < seq { notices.append(.missed(first: from, last: seq - 1)) }
        notices.append(.began(by: record.contact.flatMap { device.contacts[$0]?.name } ?? ""))
        let entry = Entry(
            seq: seq, epoch: record.epoch - min(1, record.epoch), kind: .turn,
            receivedAtMs: device.clocks.relayTime(record.relay) ?? device.wall, id: .random(from: device.random),
            payload: [])
        guard let view = record.view else { return }
        try note(EntryRecord(entry, view: view, author: .unknown, body: .notices(notices)), at: entry, in: &device)
    }
}
