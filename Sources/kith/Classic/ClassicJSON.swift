import ClassicSession

/// Renders events of a classic conversation as JSON, one object per line.
struct ClassicJSON: Sendable {
    let peer: ClassicID
    let explains: Bool

    /// Returns the event as JSON; `nil` if the event is not printed.
    func event(_ event: ClassicEvent) -> JSONEvent? {
        switch event {
        case .connected(let address, let pin, let isFirstContact):
            JSONEvent(
                "connected",
                ["address": .text("\(address)"), "firstContact": .flag(isFirstContact), "pin": .text("\(pin)")])
        case .session(let event): self.event(event)
        case .beganAnew: JSONEvent("beganAnew")
        case .reconnecting: JSONEvent("reconnecting")
        case .reconnected: JSONEvent("reconnected")
        case .sent(let text): JSONEvent("sent", ["text": .text(text)])
        case .notSent(let error): JSONEvent("notSent", ["reason": .text(error.description)])
        case .unsent(let count): JSONEvent("unsent", ["number": .number(Int64(count))])
        }
    }

    private func event(_ event: Event) -> JSONEvent? {
        switch event {
        case .explained(let explanation): explains ? explained(explanation) : nil
        case .waiting: JSONEvent("waiting")
        case .peerKey(let fingerprint): JSONEvent("peerKey", ["fingerprint": .text("\(fingerprint)")])
        case .refusedKey(let presented, let expected):
            JSONEvent("refusedKey", ["expected": .text("\(expected)"), "fingerprint": .text("\(presented)")])
        case .established(let established):
            JSONEvent(
                "established",
                [
                    "ownKey": .text("\(established.ownKey)"), "peerKey": .text("\(established.peerKey)"),
                    "session": .text("\(established.sessionID)"), "wasExpected": .flag(established.wasExpected),
                ])
        case .message(let number, let text):
            JSONEvent(
                "message",
                ["from": .text(peer.name), "number": .unsigned(number), "text": .text(text), "verified": .flag(true)])
        case .missing(let numbers):
            JSONEvent(
                "missing",
                [
                    "first": .unsigned(numbers.lowerBound), "from": .text(peer.name),
                    "last": .unsigned(numbers.upperBound),
                ])
        case .dropped(let dropped):
            dropped.isHarmless && !explains
                ? nil
                : JSONEvent(
                    "dropped",
                    [
                        "from": .text(peer.name), "number": dropped.number.map(JSONValue.unsigned),
                        "reason": .text(dropped.description),
                    ])
        case .peerStartedAgain: JSONEvent("peerStartedAgain")
        case .ended(let ending): JSONEvent("ended", ["ending": .text(ending.code)])
        }
    }

    private func explained(_ explanation: Explanation) -> JSONEvent {
        JSONEvent(
            "explained",
            [
                "action": .text(explanation.action.rawValue), "against": explanation.against.map(JSONValue.text),
                "step": .text(explanation.step.name), "text": .text(explanation.text),
            ])
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
