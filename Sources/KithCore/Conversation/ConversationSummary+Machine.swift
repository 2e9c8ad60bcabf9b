extension ConversationSummary {
    /// Creates the summary of a conversation in the form that users see.
    init(_ machine: ConversationMachine, in device: DeviceState) throws(KithError) {
        let record = machine.record
        guard let relay = device.relays[record.relay] else { throw .store(.damaged(.relay)) }
        let isInviting = device.deliveries.contains { $0.conversation == machine.id && !$0.isParcel }
        self.init(
            id: machine.id, name: record.name(of: machine.id, device.contacts), contact: record.contact,
            isDirect: record.isDirect, status: record.status, memberCount: record.memberCount, unread: record.unread,
            readThrough: record.readSeq, lastSeq: record.lastSeq, lastActivityMs: record.lastActivityMs,
            relay: relay.address, relayPin: relay.pin, isSuspect: record.isSuspect, isPending: machine.isPending,
            inviter: record.request?.inviter, firstLines: record.request?.firstLines.text ?? "",
            isArchived: record.listing.isArchived, isMuted: record.listing.isMuted,
            hasAnswer: record.hasAnswer, isInviting: isInviting, timerSeconds: record.timer, pinned: record.pins.seqs)
    }
}

extension ConversationRecord {
    /// Returns the conversation's name for the user.
    func name(of id: ConversationID, _ contacts: ContactBook) -> String {
        if isDirect, let contact { return contacts[contact]?.name ?? "" }
        if !title.isEmpty { return title }
        // While the first person is being added, the conversation has the name that the user has given this person.
        for intent in intents {
            if case .add(let targets) = intent.change, let alias = targets.first?.alias { return alias }
        }
        return "conversation \(id.rawValue)"
    }
}
