import KithWire
import MLS

// Names at relays: registered, renewed, looked up.

extension Messenger {
    func register(_ name: Name, _ point: RelayPoint, _ ticket: Ticket<Void>) throws(KithError) {
        let relay = relays.id(given: point, in: &step)
        let known = inboxes.first { $0.value.record.relay == relay && $0.value.record.purpose == .name(name) }?.key
        let inbox: InboxID
        if let known {
            inbox = known
        } else {
            guard let made = try makeInbox(at: relay, for: .name(name)) else { throw .notFound("relay") }
            inbox = made.id
        }
        nameRequests.begin(.register(ticket), NameRequest(relay: relay, name: name, kind: .register(inbox)))
        try sendNameRequest(.register(ticket))
    }

    func lookUp(
        _ name: Name, _ point: RelayPoint, as alias: String?, _ ticket: Ticket<ContactID>
    ) throws(KithError) {
        let relay = relays.id(given: point, in: &step)
        nameRequests.begin(.lookUp(ticket), NameRequest(relay: relay, name: name, kind: .lookUp(alias: alias)))
        try sendNameRequest(.lookUp(ticket))
    }

    /// Asks, if the relay is there and what is to be registered is ready.
    func sendNameRequest(_ id: NameAsker) throws(KithError) {
        guard let asked = nameRequests[id], relays.isConnected(asked.relay) else { return }
        switch asked.kind {
        case .lookUp, .confirm: request(asked.relay, .lookup(name: asked.name), for: .name(id))
        case .register(let inbox):
            guard let record = inboxes[inbox]?.record, record.depositedAt > 0, let point = relays[asked.relay] else {
                return
            }
            let address = address(of: record, at: RelayPoint(address: point.address, pin: point.pin))
            let signed = try callingMLS { () throws(MLSError) in
                try profile.account.nameRecord(asked.name, version: max(wall, asked.version), content: address.encoded)
            }
            request(asked.relay, .register(name: asked.name, record: signed.unverified), for: .name(id))
        }
    }

    /// An inbox can be used: what waited for that goes on.
    func inboxIsReady(_ inbox: InboxID) throws(KithError) {
        for id in nameRequests.askers(registering: inbox) { try sendNameRequest(id) }
    }

    /// Registers a name again that was registered long ago: a relay forgets names that nobody renews.
    func renewName(of id: InboxID) throws(KithError) {
        guard let inbox = inboxes[id], case .name(let name) = inbox.record.purpose, nameRequests[.renewal(id)] == nil,
            nameRenewalDue(id).map({ $0 <= now }) == true
        else { return }
        let record = inbox.record
        inbox.renewalAskedAt = now
        nameRequests.begin(.renewal(id), NameRequest(relay: record.relay, name: name, kind: .register(id)))
        try sendNameRequest(.renewal(id))
    }

    /// When a name is to be registered again, by ``now``. A registration dated ahead was dated by a clock that was wrong then, or is
    /// now.
    func nameRenewalDue(_ id: InboxID) -> UInt64? {
        guard let inbox = inboxes[id], inbox.record.registeredAt > 0, !inbox.record.isClosing,
            nameRequests[.renewal(id)] == nil
        else { return nil }
        let due = now.plus(wall.rest(of: ClientLimits.nameRenewalMs, since: inbox.record.registeredAt))
        return max(due, inbox.renewalAskedAt?.plus(ClientLimits.deliveryPauseMs) ?? 0)
    }

    func didAnswerName(_ asker: NameAsker, _ result: Result<Reply, RelayError>) throws(KithError) {
        switch nameRequests.didAnswer(asker, result, own: profile.account.publicKey) {
        case .registered(let inbox):
            inboxes[inbox]?.record.registeredAt = max(1, wall)
            storeInbox(inbox)
            if case .register(let ticket) = asker { finish(ticket, .success(())) }
        case .asksAgain: try sendNameRequest(asker)
        case .lost(let name, let inbox):
            if case .renewal = asker, let relay = inboxes[inbox].flatMap({ relays[$0.record.relay] }) {
                tell(.nameLost(name, relay.address))
            }
            try close(inbox: inbox)
            fail(asker, .nameHeld)
        case .found(let holder, let alias, let relay):
            let found = contacts.find(holder, as: alias, at: relays[relay]?.pin, in: &step)
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
