import KithClient

/// What happens beside messages of others, as `kith listen` prints it.
enum ListenEvent: Sendable {
    case delivery(MessageReport)
    case conversation(ConversationReport)
    case contact(ContactReport)
    case other(Other, text: Sentence?)

    /// Events of few fields.
    struct Other: Encodable, Sendable {
        let event: String
        var conversation: UInt64?
        var name: String?
        var contact: UInt64?
        var relay: String?
        var pin: String?
        var state: String?
        var reason: String?
        var invite: UInt64?
        var warning: String?
        /// A member's view of the log compared with this device's: same, ahead, behind or differs.
        var log: String?
        var aheadMs: Int64?
        /// The message that the warning is about.
        var id: String?
    }

    /// `nil` for what is not printed: messages of others, and what belongs to another conversation.
    init?(_ event: KithEvent, only: ConversationID?, names: [ConversationID: String]) {
        func name(_ id: ConversationID) -> String { names[id] ?? "#\(id.rawValue)" }
        func isWanted(_ id: ConversationID) -> Bool { only == nil || only == id }
        switch event {
        case .message(let message):
            guard message.author == .me, isWanted(message.conversation) else { return nil }
            self = .delivery(MessageReport(message, in: name(message.conversation), event: "delivery"))
        case .conversation(let summary):
            guard isWanted(summary.id) else { return nil }
            self = .conversation(ConversationReport(summary, event: "conversation"))
        case .contact(let contact): self = .contact(ContactReport(contact, event: "contact"))
        case .relay(let relay, let state): self = Self.relay(relay, state)
        case .present(let id, let contact, let person, let log):
            guard isWanted(id) else { return nil }
            self = .other(
                Other(
                    event: "present", conversation: id.rawValue, name: person, contact: contact.rawValue,
                    log: log.word), text: nil)
        case .inviteUsed(let invite, let id):
            self = .other(
                Other(event: "inviteUsed", conversation: id.rawValue, name: name(id), invite: invite.rawValue),
                text: "\(name: name(id)) used your invite")
        case .warning(let id, let warning, let times):
            guard isWanted(id) else { return nil }
            var other = Other(
                event: "warning", conversation: id.rawValue, name: name(id),
                warning: warning.sentence(times: times).description)
            if case .longerThanRelayTakes(let entry, _) = warning { other.id = entry.hex }
            self = .other(
                other,
                text: "\(name: name(id)): \(warning.sentence(times: times))")
        case .invitationPassedOver(let relay):
            self = .other(
                Other(event: "invitationPassedOver", relay: "\(relay)"), text: relay.invitationSentence)
        case .clock(let difference): self = Self.clock(difference)
        case .tooManyPending:
            self = .other(Other(event: "tooManyPending"), text: KithEvent.tooManyPendingSentence)
        case .nameLost(let lost, let relay):
            self = .other(
                Other(event: "nameLost", name: lost.text, relay: "\(relay)"),
                text: KithEvent.nameLostSentence(lost, relay))
        // The messages are read again; what else was dropped is told.
        case .missed: self = .other(Other(event: "missed"), text: nil)
        }
    }

    private static func clock(_ difference: ClockDifference) -> ListenEvent {
        var other = Other(event: "clock", warning: difference.sentence.description, aheadMs: difference.aheadMs)
        switch difference.witness {
        case .relay(let address): other.relay = "\(address)"
        case .contact(_, let name), .contactAlone(_, let name): other.name = name
        }
        return .other(other, text: difference.sentence)
    }

    private static func relay(_ relay: KnownRelay, _ state: RelayState) -> ListenEvent {
        var other = Other(event: "relay", name: relay.namedBy, relay: "\(relay.address)", pin: "\(relay.pin)")
        let text: Sentence?
        switch state {
        case .connecting: (other.state, text) = ("connecting", nil)
        case .connected: (other.state, text) = ("connected", nil)
        case .full: (other.state, text) = ("full", "\(relay.sentence): \(state.fullSentence); trying again")
        case .waiting(let pause):
            (other.state, other.reason, text) = (
                "waiting", pause.reason, "\(relay.sentence): \(own: pause.reason); trying again"
            )
        case .refused(let error):
            (other.state, other.reason, text) = ("refused", error.description, "\(relay.sentence): \(error.withRemedy)")
        }
        return .other(other, text: text)
    }

    /// The line for programs, or the one for people, if there is something to tell them.
    func line(_ output: Listener.Output) -> String? {
        switch (output, self) {
        case (.json, .delivery(let report)): JSONLine.text(report)
        case (.json, .conversation(let report)): JSONLine.text(report)
        case (.json, .contact(let report)): JSONLine.text(report)
        case (.json, .other(let other, _)): JSONLine.text(other)
        case (.text, .other(_, let text)): text.map { "[\(SafeText.oneLine($0.description))]" }
        case (.text, _): nil
        }
    }
}

extension LogComparison {
    /// One word for programs.
    fileprivate var word: String {
        switch self {
        case .same: "same"
        case .ahead: "ahead"
        case .behind: "behind"
        case .differs: "differs"
        }
    }
}
