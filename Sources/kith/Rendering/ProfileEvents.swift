import KithClient
import KithWire

// Converts events of a profile to the JSON that `kith listen --json` and `kith chat --json` print.

extension JSONEvent {
    /// Creates the JSON form of a profile's event; `nil` for an event that programs do not get.
    ///
    /// - Parameter name: returns the name of a conversation.
    init?(_ event: KithEvent, naming name: (ConversationID) -> String) {
        switch event {
        case .message(let message):
            let report = MessageReport(message, in: name(message.conversation))
            self.init(message.author == .me ? "delivery" : "message", report)
        case .messageChanged(let message, let update):
            self.init("messageChanged", MessageChangeReport(message, update, in: name(message.conversation)))
        case .messagesChanged(let id):
            self.init("messagesChanged", ["conversation": .unsigned(id.rawValue), "name": .text(name(id))])
        case .conversation(let summary): self.init("conversation", ConversationReport(summary))
        case .contact(let contact): self.init("contact", ContactReport(contact))
        case .relay(let relay, let state): self.init(relay, state)
        case .memberIsOnline(let id, let contact, let person, let log):
            self.init(
                "present",
                [
                    "conversation": .unsigned(id.rawValue), "contact": .unsigned(contact.rawValue),
                    "name": .text(person),
                    "log": .text(log.word),
                ])
        // Typing is of use only to a person who is looking at the conversation.
        case .typing: return nil
        case .inviteUsed(let invite, let id):
            self.init(
                "inviteUsed",
                [
                    "conversation": .unsigned(id.rawValue), "name": .text(name(id)),
                    "invite": .unsigned(invite.rawValue),
                ])
        case .warning(let id, let warning, let times):
            // The id of the message to which the warning refers.
            var message: JSONValue?
            if let entry = warning.unsentMessage { message = .text(entry.hex) }
            self.init(
                "warning",
                [
                    "conversation": .unsigned(id.rawValue), "name": .text(name(id)), "id": message,
                    "warning": .text(warning.sentence(times: times).description),
                ])
        case .invitationPassedOver(let relay): self.init("invitationPassedOver", ["relay": .text("\(relay)")])
        case .clock(let difference): self.init(difference)
        case .tooManyPending: self.init("tooManyPending")
        case .nameLost(let lost, let relay):
            self.init("nameLost", ["name": .text(lost.text), "relay": .text("\(relay)")])
        case .file(let id, let entry, let notice):
            self.init(
                "file",
                [
                    "conversation": .unsigned(id.rawValue), "name": .text(name(id)), "id": .text(entry.hex),
                    "state": .text(notice.word), "file": .text(notice.fileName),
                    "reason": notice.problem.map { .text($0.sentence) },
                ])
        }
    }

    private init(_ difference: ClockDifference) {
        let (relay, name): (JSONValue?, JSONValue?) =
            switch difference.witness {
            case .relay(let address): (.text("\(address)"), nil)
            case .contact(_, let name), .contactAlone(_, let name): (nil, .text(name))
            }
        self.init(
            "clock",
            [
                "relay": relay, "name": name, "aheadMs": .number(difference.aheadMs),
                "warning": .text(difference.sentence.description),
            ])
    }

    private init(_ relay: KnownRelay, _ state: RelayState) {
        let (word, reason): (String, String?) =
            switch state {
            case .connecting: ("connecting", nil)
            case .connected: ("connected", nil)
            case .full: ("full", nil)
            case .waiting(let pause): ("waiting", pause.reason)
            case .refused(let error): ("refused", error.description)
            }
        self.init(
            "relay",
            [
                "name": relay.namedBy.map(JSONValue.text), "relay": .text("\(relay.address)"),
                "pin": .text("\(relay.pin)"), "state": .text(word), "reason": reason.map(JSONValue.text),
            ])
    }
}

extension LogComparison {
    /// The state as one word for programs.
    fileprivate var word: String {
        switch self {
        case .same: "same"
        case .ahead: "ahead"
        case .behind: "behind"
        case .differs: "differs"
        }
    }
}
