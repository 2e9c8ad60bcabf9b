import KithWire

// Trims: what was read of an inbox is dropped at the relay, which makes room for further letters.
//
// A sender whose letter the relay refused, and who tries again, notices the trim, and with it that the device is connected. So an
// inbox whose address many may have is trimmed once a day at most, at a time that is drawn and depends on no letter. Of the others,
// the address is somebody's who may begin a conversation and ask there who is online.

extension Messenger {
    /// Trims an inbox whose address few have.
    func trimAtOnce(_ inbox: Inbox, _ id: InboxID) {
        if inbox.record.purpose.isForFew { trim(inbox, id) }
    }

    /// Trims an inbox whose address many may have, if its time has come.
    func trimIfDue(_ inbox: Inbox, _ id: InboxID) {
        guard let delay = trimDelay(inbox), delay == 0 else { return }
        drawTrim(inbox, id, after: ClientLimits.trimMs, within: ClientLimits.trimMs)
        trim(inbox, id)
    }

    /// Draws another time for a trim that fell due while the relay was not connected: a trim at once would tell when the device came.
    /// So it does if the time lies too far ahead, since the clock was wrong.
    func postponeTrim(_ inbox: Inbox, _ id: InboxID) {
        guard !inbox.record.purpose.isForFew else { return }
        let latest = wall.plus(2 * ClientLimits.trimMs)
        guard inbox.record.trimAt <= wall || inbox.record.trimAt > latest else { return }
        drawTrim(inbox, id, after: 0, within: ClientLimits.trimSoonMs)
    }

    /// In how many milliseconds an inbox whose address many may have is trimmed.
    func trimDelay(_ inbox: Inbox) -> UInt64? {
        guard !inbox.record.purpose.isForFew, inbox.followTag != nil else { return nil }
        return inbox.record.trimAt - min(inbox.record.trimAt, wall)
    }

    private func drawTrim(_ inbox: Inbox, _ id: InboxID, after: UInt64, within: UInt64) {
        var generator = SourceGenerator(source: random)
        inbox.record.trimAt = wall.plus(after + .random(in: 1...within, using: &generator))
        storeInbox(id)
    }

    /// Asks the relay to drop what was read. The request leaves after the transaction that holds what came of it.
    private func trim(_ inbox: Inbox, _ id: InboxID) {
        let record = inbox.record
        guard record.readThrough > record.trimmedSeq, inbox.followTag != nil, !inbox.isTrimming, !record.isClosing
        else { return }
        inbox.isTrimming = true
        request(
            record.relay, .trim(channel: record.channel, throughSeq: record.readThrough),
            for: .trimInbox(id, through: record.readThrough))
    }

    /// Takes the answer to a trim. One that was refused is sent again at the next occasion.
    func didTrim(inbox id: InboxID, through seq: UInt64, _ result: Result<Reply, RelayError>) {
        guard let inbox = inboxes[id] else { return }
        inbox.isTrimming = false
        guard case .success = result else { return }
        // Stored with the next change: to ask again does no harm.
        inbox.record.trimmedSeq = max(inbox.record.trimmedSeq, min(seq, inbox.record.readThrough))
        trimAtOnce(inbox, id)
    }
}
