import KithWire

// The commands that change messages which are already in the log. A command finishes when the change is stored; the log decides
// whether and when it takes effect, which a ``KithEvent/messageChanged(_:_:)`` reports.

extension Command where Answer == EntryID {
    /// Sets this user's reaction to the message at a seq; `nil` removes it.
    package static func react(_ conversation: ConversationID, to seq: UInt64, _ reaction: String?) -> Self {
        change(conversation, seq, .reaction(reaction))
    }

    /// Replaces the text of the user's own message at a seq.
    package static func edit(_ conversation: ConversationID, _ seq: UInt64, text: String) -> Self {
        change(conversation, seq, .edit(MessageText(text)))
    }

    /// Deletes the user's own message at a seq on the devices of all members.
    package static func deleteForEveryone(_ conversation: ConversationID, _ seq: UInt64) -> Self {
        change(conversation, seq, .deletion)
    }

    /// Pins the message at a seq, or removes its pin.
    package static func pin(_ conversation: ConversationID, _ seq: UInt64, _ isPinned: Bool) -> Self {
        change(conversation, seq, .pin(isPinned))
    }

    /// Sets the time after which the conversation's later messages expire for all members, in seconds; `nil` for never.
    package static func setTimer(_ conversation: ConversationID, seconds: UInt32?) -> Self {
        Command { (profile, ticket) throws(KithError) in
            try profile.checkSending(to: conversation)
            try profile.send(OutgoingMessage(id: profile.newEntryID, .timer(seconds)), to: conversation, ticket)
        }
    }

    private static func change(_ conversation: ConversationID, _ seq: UInt64, _ change: MessageChange) -> Self {
        Command { (profile, ticket) throws(KithError) in
            let body = try profile.checkedChange(change, of: seq, in: conversation)
            try profile.send(OutgoingMessage(id: profile.newEntryID, body), to: conversation, ticket)
        }
    }
}
