import KithWire

/// The command or task that makes a request about a name.
enum NameAsker: Hashable, Sendable, Comparable {
    /// A command that registers the name.
    case register(Ticket<Void>)
    /// A command that looks the name up.
    case lookUp(Ticket<ContactID>)
    /// The device's own task, which renews an inbox's name before the name expires.
    case renewal(InboxID)

    static func < (left: Self, right: Self) -> Bool {
        (left.isRenewal ? 1 : 0, left.number) < (right.isRenewal ? 1 : 0, right.number)
    }

    private var isRenewal: Bool { if case .renewal = self { true } else { false } }

    private var number: UInt64 {
        switch self {
        case .register(let ticket): ticket.id.rawValue
        case .lookUp(let ticket): ticket.id.rawValue
        case .renewal(let inbox): inbox.rawValue
        }
    }
}

/// A request to a relay about a name.
struct NameRequest {
    enum Kind {
        /// Registers the name for an inbox.
        case register(InboxID)
        /// Looks up the owner of the name. The relay has refused to register the name for the inbox.
        case confirm(InboxID)
        /// Looks up the owner of the name. The owner becomes a contact under the alias.
        case lookUp(alias: String?)
    }

    let relay: RelayID
    let name: Name
    let kind: Kind
    /// The minimum version of the record. The version is the time of the device's clock, or the minimum if the minimum is
    /// higher. Each record must have a higher version than the previous record. The clock may have been ahead when the previous
    /// record was made, so the time alone may be too low.
    var version: UInt64 = 0

    /// The inbox for which the name is registered; `nil` if the request registers no name.
    var inbox: InboxID? { if case .register(let inbox) = kind { inbox } else { nil } }
}

/// The unanswered requests about names. If a relay refuses a record, the client looks the name up: the relay may have this
/// profile's own record with a higher version.
struct NameRequests {
    private var requests: [NameAsker: NameRequest] = [:]

    /// The result of an answer.
    enum Outcome {
        /// The relay has this profile's record.
        case registered(InboxID)
        /// The answer was not final. A further request has replaced this request.
        case asksAgain
        /// The name belongs to another person. The inbox that was made for the name will not be used.
        case lost(Name, InboxID)
        /// The owner of the name, and the user's own name for the owner, if there is one.
        case found(NameHolder, alias: String?, at: RelayID)
        case failed(KithError)
    }

    // MARK: Reading

    subscript(_ asker: NameAsker) -> NameRequest? { requests[asker] }

    /// The relay of each request.
    var relays: [RelayID] { requests.values.map(\.relay) }

    /// The commands and renewals whose requests were sent to a relay.
    func askers(at relay: RelayID) -> [NameAsker] { askers { $0.relay == relay } }

    /// The commands and renewals that register a name for an inbox.
    func askers(registering inbox: InboxID) -> [NameAsker] {
        askers { if case .register(inbox) = $0.kind { true } else { false } }
    }

    private func askers(_ isMeant: (NameRequest) -> Bool) -> [NameAsker] {
        requests.filter { isMeant($0.value) }.keys.sorted()
    }

    // MARK: Changes

    mutating func begin(_ asker: NameAsker, _ request: NameRequest) { requests[asker] = request }

    /// Handles the end of a connection. Renewals are dropped: the next connection starts them again. Commands wait for the next
    /// connection.
    mutating func didDisconnect(_ relay: RelayID) {
        requests = requests.filter { if case .renewal = $0.key { $0.value.relay != relay } else { true } }
    }

    /// Handles the answer to a request.
    ///
    /// - Parameter own: the account of this profile.
    /// - Returns: the result; `nil` if the request is unknown.
    mutating func didAnswer(
        _ asker: NameAsker, _ result: Result<Reply, RelayError>, own: AccountKey
    ) -> Outcome? {
        guard let asked = requests.removeValue(forKey: asker) else { return nil }
        switch (asked.kind, result) {
        case (.register(let inbox), .success): return .registered(inbox)
        case (.register(let inbox), .failure(let error)):
            guard error.code == .exists || error.code == .denied, asked.version == 0 else {
                return .failed(error.code == .exists ? .nameHeld : .relay(.refused(error)))
            }
            requests[asker] = NameRequest(relay: asked.relay, name: asked.name, kind: .confirm(inbox))
            return .asksAgain
        case (.confirm(let inbox), .success(.record(let record))): return confirm(record, asked, inbox, asker, own: own)
        case (.lookUp(let alias), .success(.record(let record))):
            guard let record = record.verified(for: asked.name), let holder = NameHolder(record, of: asked.name) else {
                return .failed(.nameUnknown)
            }
            return .found(holder, alias: alias, at: asked.relay)
        case (.lookUp, .failure(let error)) where error.code == .notFound: return .failed(.nameUnknown)
        case (.confirm, .failure(let error)), (.lookUp, .failure(let error)): return .failed(.relay(.refused(error)))
        case (.confirm, .success): return .failed(.nameHeld)
        case (.lookUp, .success): return .failed(.nameUnknown)
        }
    }

    /// Checks the record that a relay has under a name, after the relay has refused this profile's record for that name.
    private mutating func confirm(
        _ unverified: UnverifiedNameRecord, _ asked: NameRequest, _ inbox: InboxID, _ asker: NameAsker, own: AccountKey
    ) -> Outcome {
        guard let record = unverified.verified(for: asked.name) else { return .failed(.nameHeld) }
        guard record.identity == own.bytes else { return .lost(asked.name, inbox) }
        guard record.version < .max else { return .failed(.nameHeld) }
        requests[asker] = NameRequest(
            relay: asked.relay, name: asked.name, kind: .register(inbox), version: record.version + 1)
        return .asksAgain
    }
}
