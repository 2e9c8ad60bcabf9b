import KithWire
import MLS
import TLSCodec

// Views of the log that members state, compared with the log that this device was shown.

extension Messenger {
    /// The first difference between a member's view and this device's; nil if there is none.
    ///
    /// - Parameter seq: of the entry that carries the view. The view ends before it, in the current epoch.
    func difference(
        _ theirs: LogView, before seq: UInt64, _ conversation: Conversation
    ) throws(KithError) -> Warning? {
        let record = conversation.record
        guard let begin = record.epochBegin else { return nil }
        if theirs.previous != begin.previous, !record.trustsWhatWasBeforeTurn {
            return .differentLogs(first: min(record.agreedBeforeTurn + 1, begin.seq), last: begin.seq)
        }
        if theirs.seq >= begin.seq, theirs.seq < seq, try hash(at: theirs.seq, conversation) == theirs.hash {
            return nil
        }
        // A damaged entry can't be compared.
        if damagedEntries.contains(EntryPlace(conversation: conversation.id, seq: theirs.seq)) { return nil }
        let last = max(record.agreedThrough, min(theirs.seq, seq - min(1, seq)))
        return .differentLogs(first: min(record.agreedThrough + 1, last), last: last)
    }

    /// Compares the view in a member's entry. Tells also of messages of that member which were missing when a turn came, if the
    /// member was shown another log: one who was shown the same has repeated what is not in it.
    func compare(
        _ theirs: LogView, of sender: LeafIndex, at seq: UInt64, _ conversation: Conversation
    ) throws(KithError) -> [Warning] {
        let difference = try difference(theirs, before: seq, conversation)
        var warnings: [Warning] = []
        if let difference {
            if conversation.record.comparesViews { warnings.append(difference) }
        } else {
            conversation.record.agree(through: theirs.seq)
        }
        if let missing = conversation.comparison.takeMissingAtTurn(of: sender), difference != nil {
            warnings.append(.missingBefore(missing))
        }
        return warnings
    }

    /// Compares the view that a commit carries, in its authenticated data. Anything else there is a view that differs: it must
    /// not end the group.
    func compareView(of effect: CommitEffect, at seq: UInt64, _ conversation: Conversation) throws(KithError)
        -> [Warning]
    {
        let theirs =
            (try? LogView(decoding: effect.authenticatedData))
            ?? LogView(seq: seq, hash: [], previous: conversation.record.epochBegin?.previous ?? [])
        return try compare(theirs, of: effect.committerLeaf, at: seq, conversation)
    }

    private func hash(at seq: UInt64, _ conversation: Conversation) throws(KithError) -> [UInt8]? {
        if let begin = conversation.record.epochBegin, begin.seq == seq { return begin.hash }
        if let hash = conversation.comparison.hash(at: seq) { return hash }
        guard let (_, record) = try entries(of: conversation.id, seq...seq, limit: 1, newestFirst: false).first else {
            return nil
        }
        return record?.viewHash
    }

    /// Compares an inviter's view with that of a device that the same commit removed and added again: its history goes on over
    /// the turn.
    func compareAgain(_ invited: LogView, epoch: UInt64, _ conversation: Conversation) -> Warning? {
        let record = conversation.record
        guard case .removed = record.status, record.epoch + 1 == epoch, let own = record.view,
            own.seq != invited.seq || own.hash != invited.previous
        else { return nil }
        let last = max(own.seq, invited.seq)
        return .differentLogs(first: min(record.agreedThrough + 1, last), last: last)
    }

    // MARK: Missing messages

    /// Messages of a sender that should have come long before and have not.
    func gap(_ sender: LeafIndex, at seq: UInt64, _ conversation: Conversation, _ group: Group) -> Warning? {
        let missing = group.missingMessages(from: sender)
        let untold = conversation.comparison.newlyMissing(of: sender, missing, at: seq)
        return untold > 0 ? .missingBefore(untold) : nil
    }

    /// Keeps what is missing of each member when a turn ends the epoch.
    func keepGaps(_ conversation: Conversation, from group: Group, to next: Group) {
        conversation.comparison.keepGaps(missing: { group.missingMessages(from: $0) }) { sender in
            let before = group.tree[sender]?.credential.deviceCertificate?.deviceID
            return before != nil && before == next.tree[sender]?.credential.deviceCertificate?.deviceID
        }
    }

    // MARK: Live checks

    /// Compares the view in a member's challenge or answer. Entries that this device was not shown yet must come.
    func compareLive(
        _ theirs: LogView, of sender: LeafIndex, _ conversation: Conversation
    ) throws(KithError) -> LogComparison {
        guard let own = conversation.record.view else { return .same }
        if theirs.seq > own.seq, theirs.previous == own.previous || conversation.record.trustsWhatWasBeforeTurn {
            conversation.comparison.claim(theirs, of: sender, at: now)
            return .ahead(by: theirs.seq - own.seq)
        }
        if let difference = try difference(theirs, before: own.seq + 1, conversation) {
            if conversation.record.comparesViews { try warn(conversation, difference) }
            return .differs
        }
        return theirs.seq == own.seq ? .same : .behind(by: own.seq - theirs.seq)
    }

    /// Compares views that were ahead of this device with the entries that have come since.
    func settleClaims(_ conversation: Conversation) throws(KithError) {
        guard conversation.comparison.hasClaims, let own = conversation.record.view else { return }
        for claimed in conversation.comparison.takeClaims(through: own.seq) {
            if let difference = try difference(claimed, before: own.seq + 1, conversation),
                conversation.record.comparesViews
            {
                try warn(conversation, difference)
            }
        }
    }

    /// A turn comes where a member has seen other entries.
    func settleClaims(_ conversation: Conversation, atTurn seq: UInt64) -> [Warning] {
        defer { conversation.comparison.dropClaims() }
        guard conversation.comparison.hasClaims, conversation.record.comparesViews else { return [] }
        return [.differentLogs(first: min(conversation.record.agreedThrough + 1, seq), last: seq)]
    }

    /// Tells of entries that a member has and the relay holds back.
    ///
    /// - Returns: whether to ask for the log anew.
    func checkClaims(_ conversation: Conversation) -> Bool {
        guard conversation.sync.isLive else { return false }
        let (heldBack, asksAnew) = conversation.comparison.checkClaims(at: now)
        for seq in heldBack { tell(.heldBack(through: seq), in: conversation) }
        return asksAnew
    }
}

extension ConversationRecord {
    /// Whether members' views are compared: not once a difference was told, and not in the epoch in which the user went on.
    var comparesViews: Bool { !isSuspect && trustedEpoch != epoch }

    /// Whether a difference before the turn that opened the epoch was told already and the user went on.
    var trustsWhatWasBeforeTurn: Bool { trustedEpoch.map { epoch <= $0 || epoch - $0 == 1 } ?? false }
}
