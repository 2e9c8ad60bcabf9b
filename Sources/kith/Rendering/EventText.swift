import KithClient
import KithWire

// Describes events to people.

extension KithEvent {
    /// The conversation to which the event belongs; `nil` if the event concerns the whole profile.
    var conversation: ConversationID? {
        switch self {
        case .message(let message), .messageChanged(let message, _): message.conversation
        case .conversation(let summary): summary.id
        case .messagesChanged(let id), .typing(let id, _), .memberIsOnline(let id, _, _, _), .warning(let id, _, _),
            .file(let id, _, _):
            id
        case .contact, .relay, .inviteUsed, .invitationPassedOver, .clock, .tooManyPending, .nameLost: nil
        }
    }

    /// Returns the event as a sentence. `nil` for an event that the caller has to format, or that people do not see.
    ///
    /// - Parameter name: returns the name of a conversation.
    func sentence(naming name: (ConversationID) -> String) -> Sentence? {
        switch self {
        case .relay(let relay, let state): state.obstacle(at: relay)
        case .warning(let id, let warning, let times): "\(name: name(id)): \(warning.sentence(times: times))"
        case .invitationPassedOver(let relay): relay.invitationSentence
        case .clock(let difference): difference.sentence
        case .tooManyPending: KithEvent.tooManyPendingSentence
        case .nameLost(let lost, let relay): KithEvent.nameLostSentence(lost, relay)
        case .file(let id, _, let notice): "\(name: name(id)): \(notice.sentence)"
        case .contact(let contact): contact.groupRequest.map { _ in contact.requestSentence }
        case .message, .messageChanged, .messagesChanged, .typing, .conversation, .memberIsOnline, .inviteUsed: nil
        }
    }
}

extension Warning {
    /// The message that is not sent and not kept; `nil` if the warning is about something else.
    var unsentMessage: EntryID? {
        switch self {
        case .longerThanRelayTakes(let entry, _), .notSentToBlocked(let entry): entry
        case .differentLogs, .missingBefore, .notKept, .oldWelcome, .inviteUsedAgain, .invitationWaits, .heldBack: nil
        }
    }
}

extension Contact {
    /// The sentence about the contact's private request, with the commands that decide about it.
    var requestSentence: Sentence {
        let text = groupRequest?.text ?? ""
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        let snippet = line.count > 80 ? "\(line.prefix(79))…" : line
        return
            "\(name: name) writes to you privately: \(quoted: snippet); kith requests accept \(name: name) begins a conversation, kith requests ignore \(name: name) declines"
    }
}

extension RelayState {
    /// The reason why a relay cannot be used now. `nil` if the relay can be used, or if the client is still connecting.
    func obstacle(at relay: KnownRelay) -> Sentence? {
        switch self {
        case .connecting, .connected: nil
        case .full: "\(relay.sentence): \(fullSentence); trying again"
        case .waiting(let pause): "\(relay.sentence): \(own: pause.reason); trying again"
        case .refused(let error): "\(relay.sentence): \(error.withRemedy)"
        }
    }

    /// The sentence about a ``full`` relay.
    var fullSentence: Sentence { "\(own: RelayError.Code.full.words)" }
}
