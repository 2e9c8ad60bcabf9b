import KithWire

/// A change that the user wants to make to a message in the log.
package enum RequestedChange: Hashable, Sendable {
    /// Sets the user's reaction; `nil` removes it.
    case reaction(String?)
    /// Replaces the text of the user's own message.
    case edit(String)
    /// Deletes the user's own message on the devices of all members.
    case deletion
    /// Pins the message, or removes its pin.
    case pin(Bool)

    var change: MessageChange {
        switch self {
        case .reaction(let text): .reaction(text)
        case .edit(let text): .edit(MessageText(text))
        case .deletion: .deletion
        case .pin(let isPinned): .pin(isPinned)
        }
    }
}

extension Command where Answer == EntryID {
    /// Changes the message at a seq. The command finishes when the change is stored. The log decides whether and when the
    /// change takes effect. A ``KithEvent/messageChanged(_:_:)`` then reports the change.
    package static func change(_ conversation: ConversationID, _ seq: UInt64, _ change: RequestedChange) -> Self {
        Command { (profile, ticket) throws(KithError) in
            let body = try profile.checkedChange(change.change, of: seq, in: conversation)
            try profile.send(OutgoingMessage(id: profile.newEntryID, body), to: conversation, ticket)
        }
    }

    /// Sets the time after which the conversation's later messages expire for all members, in seconds; `nil` for never.
    package static func setTimer(_ conversation: ConversationID, seconds: UInt32?) -> Self {
        Command { (profile, ticket) throws(KithError) in
            try profile.checkSending(to: conversation)
            try profile.send(OutgoingMessage(id: profile.newEntryID, .timer(seconds)), to: conversation, ticket)
        }
    }
}
