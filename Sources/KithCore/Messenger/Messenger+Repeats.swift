import KithWire

// Notices that come again and again are told once and counted.

extension Messenger {
    /// Notes an entry that could not be read. The row of each further one of its kind holds its hash and shows nothing.
    func notePassedOver(
        _ record: EntryRecord, _ reason: UnreadableReason, from: String?, in conversation: Conversation
    ) {
        guard let seq = conversation.record.view?.seq else { return }
        let line = conversation.notices.count(record, at: seq, reason, from: from)
        store(line.record, seq: line.seq, of: conversation)
        if line.seq != seq { store(record, seq: seq, of: conversation) }
        if line.isToBeTold { tell(line, conversation) }
    }

    private func tell(_ line: PassedOver, _ conversation: Conversation) {
        for message in messages(of: line.record, seq: line.seq, in: conversation) { tell(.message(message)) }
    }

    /// Tells of a warning. Others of its kind that follow within ten minutes are counted, and told for the tenth time, the
    /// hundredth, and so on.
    func tell(_ warning: Warning, in conversation: Conversation) {
        guard let times = conversation.notices.times(warning, at: now) else { return }
        tell(.warning(conversation.id, warning, times: times))
    }
}
