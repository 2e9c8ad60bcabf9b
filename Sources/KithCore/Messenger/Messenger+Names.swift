import KithWire
import MLS
import TLSCodec

/// The request that waits for a relay's answer about a name.
enum NameAsker: Hashable, Comparable, Sendable {
    /// A command.
    case command(CommandID)
    /// The device itself, which keeps the name of an inbox from expiring.
    case renewal(InboxID)

    static func < (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.command(let left), .command(let right)): left.rawValue < right.rawValue
        case (.renewal(let left), .renewal(let right)): left.rawValue < right.rawValue
        case (.command, .renewal): true
        case (.renewal, .command): false
        }
    }
}

/// Something that is asked of a relay about a name.
struct NameRequest {
    enum Kind {
        /// Put the address of an inbox under it.
        case register(InboxID)
        /// The relay refused to: find out who holds it.
        case confirm(InboxID)
        /// Find who holds it, and call them this here.
        case lookUp(alias: String?)
    }

    let relay: RelayID
    let name: Name
    let kind: Kind
    /// The lowest version that the record may have: the clock may have been ahead when the one before was made.
    var version: UInt64 = 0
}

extension Messenger {
    func register(_ name: Name, _ point: RelayPoint, _ command: CommandID) throws(KithError) {
        let relay = relays.id(given: point, in: &step)
        let known = inboxes.first { $0.value.record.relay == relay && $0.value.record.purpose == .name(name) }?.key
        let inbox: InboxID
        if let known {
            inbox = known
        } else {
            guard let made = try makeInbox(at: relay, for: .name(name)) else { throw .notFound("relay") }
            inbox = made.id
        }
        nameRequests[.command(command)] = NameRequest(relay: relay, name: name, kind: .register(inbox))
        try sendNameRequest(.command(command))
    }

    func lookUp(_ name: Name, _ point: RelayPoint, as alias: String?, _ command: CommandID) throws(KithError) {
        nameRequests[.command(command)] = NameRequest(
            relay: relays.id(given: point, in: &step), name: name, kind: .lookUp(alias: alias))
        try sendNameRequest(.command(command))
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
        for id in nameRequests.keys.sorted() {
            if case .register(inbox)? = nameRequests[id]?.kind { try sendNameRequest(id) }
        }
    }

    /// Registers a name again that was registered long ago: a relay forgets names that nobody renews.
    func renewName(of id: InboxID) throws(KithError) {
        guard let inbox = inboxes[id], case .name(let name) = inbox.record.purpose, nameRequests[.renewal(id)] == nil,
            nameRenewalDue(id).map({ $0 <= now }) == true
        else { return }
        let record = inbox.record
        inbox.renewalAskedAt = now
        nameRequests[.renewal(id)] = NameRequest(relay: record.relay, name: name, kind: .register(id))
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

    private func finish(_ asker: NameAsker, _ result: Result<CommandResult, KithError>) {
        if case .command(let id) = asker { finish(id, result) }
    }

    /// The relay has this profile's record under a name.
    private func didRegister(_ inbox: InboxID, _ asker: NameAsker) {
        inboxes[inbox]?.record.registeredAt = max(1, wall)
        storeInbox(inbox)
        finish(asker, .success(.done))
    }

    /// Another person has the name: the inbox leads nobody here.
    private func didLose(_ name: Name, _ inbox: InboxID, _ asker: NameAsker) throws(KithError) {
        if case .renewal = asker, let relay = inboxes[inbox].flatMap({ relays[$0.record.relay] }) {
            tell(.nameLost(name, relay.address))
        }
        try close(inbox: inbox)
        finish(asker, .failure(.nameHeld))
    }

    func didAnswerName(_ id: NameAsker, _ result: Result<Reply, RelayError>) throws(KithError) {
        guard let asked = nameRequests.removeValue(forKey: id) else { return }
        switch (asked.kind, result) {
        case (.register(let inbox), .success): didRegister(inbox, id)
        case (.register(let inbox), .failure(let error)):
            guard error.code == .exists || error.code == .denied, asked.version == 0 else {
                return finish(id, .failure(error.code == .exists ? .nameHeld : .relay(.refused(error))))
            }
            nameRequests[id] = NameRequest(relay: asked.relay, name: asked.name, kind: .confirm(inbox))
            try sendNameRequest(id)
        case (.confirm(let inbox), .success(.record(let record))): try confirm(record, asked, inbox, id)
        case (.confirm, .failure(let error)): finish(id, .failure(.relay(.refused(error))))
        case (.confirm, .success): finish(id, .failure(.nameHeld))
        case (.lookUp(let alias), .success(.record(let record))):
            finish(id, found(record, asked.name, alias, at: asked.relay))
        case (.lookUp, .failure(let error)) where error.code == .notFound: finish(id, .failure(.nameUnknown))
        case (.lookUp, .failure(let error)): finish(id, .failure(.relay(.refused(error))))
        case (.lookUp, .success): finish(id, .failure(.nameUnknown))
        }
    }

    /// The relay has a record under a name, and refused another.
    private func confirm(
        _ unverified: UnverifiedNameRecord, _ asked: NameRequest, _ inbox: InboxID, _ id: NameAsker
    ) throws(KithError) {
        guard let record = unverified.verified(for: asked.name) else { return finish(id, .failure(.nameHeld)) }
        guard record.identity == profile.account.publicKey.bytes else { return try didLose(asked.name, inbox, id) }
        guard record.version < .max else { return finish(id, .failure(.nameHeld)) }
        nameRequests[id] = NameRequest(
            relay: asked.relay, name: asked.name, kind: .register(inbox), version: record.version + 1)
        try sendNameRequest(id)
    }

    /// Somebody holds the name: the relay says so, and nothing more is known of them.
    private func found(
        _ unverified: UnverifiedNameRecord, _ name: Name, _ alias: String?, at relay: RelayID
    ) -> Result<CommandResult, KithError> {
        guard let record = unverified.verified(for: name), let holder = NameHolder(record, of: name) else {
            return .failure(.nameUnknown)
        }
        let found = contacts.find(holder, as: alias, at: relays[relay]?.pin, in: &step)
        return found.map { .contact($0) }
    }
}
