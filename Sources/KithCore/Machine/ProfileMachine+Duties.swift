import KithWire

// Work that concerns several machines at once: certificates, erasures, inboxes and contact cards.

extension ProfileMachine {
    /// Renews the device's certificate if the renewal is due. Replaces key packages if nobody could accept the old certificate.
    func renewCertificate() throws(KithError) {
        guard try state.device.renewCertificate() else { return }
        for id in inboxes.ids { try pass(.certificateExpired, to: id) }
    }

    /// Erases the texts that have expired by the device's clock and by the relay's.
    func eraseExpired() throws(KithError) {
        let conversations = state.conversations
        try state.device.eraseExpired(relay: conversations.relay(of:))
    }

    // MARK: Contact cards

    /// Sends the contact cards that are due, each with the address of an inbox for the contact.
    func sendCardsDue() throws(KithError) {
        for id in state.device.step.takeCardsDue() {
            guard let record = state.conversations[id]?.machine.record else { continue }
            var address: InboxAddress?
            if let contact = record.contact {
                address = try inboxAddress(for: contact, at: record.relay)
            }
            try pass(.sendCard(address), to: id)
        }
    }

    private func inboxAddress(for contact: ContactID, at relay: RelayID) throws(KithError) -> InboxAddress? {
        guard let point = state.device.relays[relay] else { return nil }
        var inbox = inboxes.inbox(for: contact, at: relay)
        if inbox == nil { inbox = try makeInbox(at: relay, for: .contact(contact)) }
        return inbox?.address(in: state.device, at: point)
    }

    // MARK: Names

    func sendNameRequest(_ asker: NameAsker) throws(KithError) {
        let inbox = state.device.nameRequests[asker]?.inbox
        let address = inbox.flatMap { inboxes[$0]?.machine.publicAddress(in: state.device) }
        try state.device.sendNameRequest(asker, for: address)
    }

    func didAnswerName(_ asker: NameAsker, _ result: Result<Reply, RelayError>) throws(KithError) {
        switch state.device.nameRequests.didAnswer(asker, result, own: state.device.account) {
        case .registered(let inbox):
            try pass(.nameRegistered, to: inbox)
            if case .register(let ticket) = asker { finish(ticket, .success(())) }
        case .asksAgain: try sendNameRequest(asker)
        case .lost(let name, let inbox):
            if case .renewal = asker,
                let relay = inboxes[inbox].flatMap({ state.device.relays[$0.machine.record.relay] })
            {
                state.device.emit(.nameLost(name, relay.address))
            }
            try pass(.close, to: inbox)
            fail(asker, .nameHeld)
        case .found(let holder, let alias, let relay):
            let found = withDevice {
                $0.contacts.find(holder, as: alias, at: $0.relays[relay]?.pin, in: &$0.step)
            }
            if case .lookUp(let ticket) = asker { finish(ticket, found) }
        case .failed(let error): fail(asker, error)
        case nil: break
        }
    }

    private func fail(_ asker: NameAsker, _ error: KithError) {
        switch asker {
        case .register(let ticket): finish(ticket, .failure(error))
        case .lookUp(let ticket): finish(ticket, .failure(error))
        case .renewal: break
        }
    }
}
