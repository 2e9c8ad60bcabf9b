import KithWire
import MLS

// Compares members' views of the log with the log that the relay has shown to this device.

extension ViewComparison {
    /// Returns the first difference between a member's view and this device's; `nil` if there is none.
    ///
    /// - Parameters:
    ///   - seq: the seq of the entry that contains the view. The view ends before that entry, in the current epoch.
    ///   - record: the conversation's record.
    func difference(
        _ theirs: LogView, before seq: UInt64, _ record: ConversationRecord, in device: inout DeviceState
    ) throws(KithError) -> Warning? {
        guard let begin = record.epochBegin else { return nil }
        if theirs.previous != begin.previous, !record.trustsWhatWasBeforeTurn {
            return .differentLogs(first: min(record.agreedBeforeTurn + 1, begin.seq), last: begin.seq)
        }
        if theirs.seq >= begin.seq, theirs.seq < seq, try hash(at: theirs.seq, begin, in: &device) == theirs.hash {
            return nil
        }
        // A damaged entry cannot be compared.
        if device.damage.entries.contains(EntryPlace(conversation: conversation, seq: theirs.seq)) { return nil }
        let last = max(record.agreedThrough, min(theirs.seq, seq - min(1, seq)))
        return .differentLogs(first: min(record.agreedThrough + 1, last), last: last)
    }

    /// Returns the hash of the log after an entry, as this device has computed it.
    ///
    /// - Parameter begin: the view at the start of the epoch.
    private func hash(
        at seq: UInt64, _ begin: LogView, in device: inout DeviceState
    ) throws(KithError) -> [UInt8]? {
        if begin.seq == seq { return begin.hash }
        if let hash = hash(at: seq) { return hash }
        return try device.entries(of: conversation, seq...seq, limit: 1, newestFirst: false).first?.record?.viewHash
    }

    /// Compares the view in a member's entry with this device's view. If the views differ, returns up to two warnings: one
    /// about the difference, and one about messages of the entry's sender that this device had not received when a turn ended
    /// the epoch. If the views are equal, the relay has shown the same log to the member. In this case, the member knows which
    /// of its messages are not in the log, and has sent these messages again.
    mutating func compare(
        _ theirs: LogView, of sender: LeafIndex, at seq: UInt64, with record: inout ConversationRecord,
        in device: inout DeviceState
    ) throws(KithError) -> [Warning] {
        let difference = try difference(theirs, before: seq, record, in: &device)
        var warnings: [Warning] = []
        if let difference {
            if record.comparesViews { warnings.append(difference) }
        } else {
            record.agree(through: theirs.seq)
        }
        if let missing = takeMissingAtTurn(of: sender), difference != nil { warnings.append(.missingBefore(missing)) }
        return warnings
    }

    /// Stores the number of each member's missing messages, because a turn ends the epoch.
    mutating func keepGaps(from group: Group, to next: Group) {
        keepGaps(missing: { group.missingMessages(from: $0) }) { sender in
            let before = group.tree[sender]?.credential.deviceCertificate?.deviceID
            return before != nil && before == next.tree[sender]?.credential.deviceCertificate?.deviceID
        }
    }

    /// Compares members' views that were ahead of this device's and whose positions the log has now reached.
    ///
    /// - Returns: the first difference; `nil` if there is none or views are not compared.
    mutating func settleClaims(
        _ record: ConversationRecord, in device: inout DeviceState
    ) throws(KithError) -> Warning? {
        guard let own = record.view else { return nil }
        var first: Warning?
        for claimed in takeClaims(through: own.seq) {
            let difference = try difference(claimed, before: own.seq + 1, record, in: &device)
            if record.comparesViews { first = first ?? difference }
        }
        return first
    }

    /// Drops the members' views that are ahead of this device's, because a turn has arrived at a seq where those members have
    /// seen another entry. If at least one view was dropped and views are compared, returns a warning that the logs differ.
    mutating func settleClaims(atTurn seq: UInt64, _ record: ConversationRecord) -> [Warning] {
        defer { dropClaims() }
        guard hasClaims, record.comparesViews else { return [] }
        return [.differentLogs(first: min(record.agreedThrough + 1, seq), last: seq)]
    }
}

extension ConversationRecord {
    /// Whether members' views are compared. No views are compared after a difference was reported, or in the epoch in which the
    /// user decided to continue.
    var comparesViews: Bool { !isSuspect && trustedEpoch != epoch }

    /// Whether no difference of the logs before the turn that opened the epoch has to be reported, because the user was warned
    /// and has decided to continue.
    var trustsWhatWasBeforeTurn: Bool { trustedEpoch.map { epoch <= $0 || epoch - $0 == 1 } ?? false }

    /// Compares an inviter's view with this device's, if one commit has both removed and added the device. A device that one
    /// commit has removed and added has no gap in its history, so the two views must agree. Returns a warning if the views
    /// differ.
    func difference(fromInviters invited: LogView, epoch: UInt64) -> Warning? {
        guard case .removed = status, self.epoch + 1 == epoch, let own = view,
            own.seq != invited.seq || own.hash != invited.previous
        else { return nil }
        let last = max(own.seq, invited.seq)
        return .differentLogs(first: min(agreedThrough + 1, last), last: last)
    }
}
