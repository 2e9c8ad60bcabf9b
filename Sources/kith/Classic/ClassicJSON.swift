import ClassicSession

/// What a classic conversation prints with `--json`: one object a line.
struct ClassicJSON: Sendable {
    let peer: ClassicID
    let explains: Bool

    /// One line. Which fields it has depends on the event.
    struct Object: Codable, Sendable {
        var event: String
        var action: String?
        var address: String?
        var against: String?
        var ending: String?
        var expected: String?
        var fingerprint: String?
        var first: UInt64?
        var firstContact: Bool?
        var from: String?
        var last: UInt64?
        var number: UInt64?
        var ownKey: String?
        var peerKey: String?
        var pin: String?
        var reason: String?
        var session: String?
        /// The name of an explained step.
        var step: String?
        var text: String?
        var verified: Bool?
        var wasExpected: Bool?
    }

    /// The event as one line without its line break, or `nil` for one that is not to be printed.
    func line(_ event: ClassicEvent) -> String? {
        object(event).map { JSONLine.text($0) }
    }

    private func object(_ event: ClassicEvent) -> Object? {
        switch event {
        case .connected(let address, let pin, let isFirstContact):
            Object(
                event: "connected", address: address.description, firstContact: isFirstContact, pin: pin.description)
        case .session(let event): object(event)
        case .beganAnew: Object(event: "beganAnew")
        case .reconnecting: Object(event: "reconnecting")
        case .reconnected: Object(event: "reconnected")
        case .sent(let text): Object(event: "sent", text: text)
        case .notSent(let error): Object(event: "notSent", reason: error.description)
        case .unsent(let count): Object(event: "unsent", number: UInt64(count))
        }
    }

    private func object(_ event: Event) -> Object? {
        switch event {
        case .explained(let explanation):
            explains
                ? Object(
                    event: "explained", action: explanation.action.rawValue, against: explanation.against,
                    step: explanation.step.name, text: explanation.text) : nil
        case .waiting:
            Object(event: "waiting")
        case .peerKey(let fingerprint):
            Object(event: "peerKey", fingerprint: fingerprint.description)
        case .refusedKey(let presented, let expected):
            Object(event: "refusedKey", expected: expected.description, fingerprint: presented.description)
        case .established(let established):
            Object(
                event: "established", ownKey: established.ownKey.description, peerKey: established.peerKey.description,
                session: established.sessionID.description, wasExpected: established.wasExpected)
        case .message(let number, let text):
            Object(event: "message", from: peer.name, number: number, text: text, verified: true)
        case .missing(let numbers):
            Object(event: "missing", first: numbers.lowerBound, from: peer.name, last: numbers.upperBound)
        case .dropped(let dropped):
            dropped.isHarmless && !explains
                ? nil
                : Object(event: "dropped", from: peer.name, number: dropped.number, reason: dropped.description)
        case .peerStartedAgain:
            Object(event: "peerStartedAgain")
        case .ended(let ending):
            Object(event: "ended", ending: "\(ending.code)")
        }
    }
}

extension Dropped {
    fileprivate var number: UInt64? {
        switch self {
        case .altered(let number): number
        case .repeated(let number): number
        default: nil
        }
    }
}

extension Ending {
    fileprivate var code: String {
        switch self {
        case .goodbye: "goodbye"
        case .left: "left"
        case .cut: "cut"
        case .internalFailure: "internalFailure"
        }
    }
}

extension Explanation.Step {
    /// The case's name without its values.
    fileprivate var name: String { String(String(describing: self).prefix { $0 != "(" }) }
}
