import KithWire

// Letters that stay at the relay: set aside while those behind them are taken, and read again when they are of use.

extension Messenger {
    /// The clock by which letters of an inbox wait: its relay's, which could withhold them anyway. The device's may be another
    /// after a restart.
    func letterTime(_ inbox: Inbox) -> UInt64 { clocks.relayTime(inbox.record.relay) ?? wall }

    /// The wait of a Welcome for a conversation's log; `nil` if it can be judged now. The log of a pending conversation is not
    /// read. The inviter may be a member of whom the log has still to tell, so it may be anybody.
    func logWait(
        _ conversation: Conversation, before epoch: UInt64, _ seq: UInt64, _ inbox: Inbox
    ) -> LogWait? {
        var wait = LogWait(conversation: conversation.id, epoch: epoch, since: letterTime(inbox))
        if case .log(let known)? = inbox.record.reasonAside(seq) { wait.since = known.since }
        return isOver(wait, inbox) ? nil : wait
    }

    private func isOver(_ wait: LogWait, _ inbox: Inbox) -> Bool {
        guard let conversation = conversations[wait.conversation], mayAct(in: conversation),
            conversation.record.status.isOpen, conversation.record.epoch < wait.epoch
        else { return true }
        return wait.rest(now: letterTime(inbox)) == 0
    }

    private func isReady(_ letter: AsideLetter, _ inbox: Inbox, hasRoom: Bool) -> Bool {
        switch letter.reason {
        case .room: hasRoom
        case .log(let wait): isOver(wait, inbox)
        }
    }

    /// The first letter left at the relay that can be taken now.
    func firstReady(_ inbox: Inbox) -> UInt64? {
        guard !inbox.record.aside.isEmpty else { return nil }
        let hasRoom = hasRoomForPending
        return inbox.record.aside.first { isReady($0, inbox, hasRoom: hasRoom) }?.seq
    }

    /// The reason of a letter that still can't be taken; `nil` of one that can, or is new.
    func leftAside(_ entry: Entry, _ inbox: Inbox) -> Taken? {
        guard let reason = inbox.record.reasonAside(entry.seq),
            !isReady(AsideLetter(seq: entry.seq, reason: reason), inbox, hasRoom: hasRoomForPending)
        else { return nil }
        return .aside(reason)
    }

    /// Reads letters again that can be taken now.
    func takeLettersAside() {
        for id in inboxes.keys.sorted() {
            guard let inbox = inboxes[id], inbox.followTag != nil, !inbox.record.isClosing, inbox.queue.isEmpty,
                inbox.position >= inbox.record.lastSeq, firstReady(inbox) != nil
            else { continue }
            step.unfollow(inbox.record.relay, inbox.followTag)
            followLetters(inbox, id, from: nextLetter(of: inbox))
        }
    }

    /// Ends the second reading early if nothing in the rest of it can be taken.
    func skipRead(_ inbox: Inbox, _ id: InboxID) {
        guard inbox.followTag != nil, inbox.position < inbox.record.lastSeq, firstReady(inbox) == nil else { return }
        step.unfollow(inbox.record.relay, inbox.followTag)
        followLetters(inbox, id, from: inbox.record.lastSeq + 1)
    }

    /// The entry from which an inbox is followed: the first letter left at the relay that can be taken. If the inbox is to be closed,
    /// the first of all, to learn whether it is still there.
    func nextLetter(of inbox: Inbox) -> UInt64 {
        let first = isOver(inbox) ? inbox.record.aside.first?.seq : firstReady(inbox)
        return min(first ?? .max, inbox.record.lastSeq + 1)
    }

    func followLetters(_ inbox: Inbox, _ id: InboxID, from: UInt64) {
        let record = inbox.record
        inbox.position = from - min(1, from)
        inbox.lastThere = nil
        postponeTrim(inbox, id)
        inbox.followTag = step.follow(record.relay, record.channel, epoch: 0, fromSeq: from, for: .inbox(id))
    }

    /// The rests of the waits of an inbox's letters, in milliseconds.
    func restsOfWaits(_ inbox: Inbox) -> [UInt64] {
        let time = letterTime(inbox)
        return inbox.record.aside.compactMap { letter in
            guard case .log(let wait) = letter.reason, wait.rest(now: time) > 0 else { return nil }
            return wait.rest(now: time)
        }
    }
}
