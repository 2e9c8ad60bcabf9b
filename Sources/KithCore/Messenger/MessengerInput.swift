import KithWire

/// A relay of this profile, by number.
package struct RelayID: RawRepresentable, Hashable, Sendable, Comparable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The number of something that a user asked for, to match its result with.
package struct CommandID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What happens to a ``Messenger``.
package enum MessengerInput: Sendable {
    /// A connection to a relay stands: hello was said, and the relay answered with its time, in milliseconds since 1970.
    case connected(RelayID, limits: AdvertisedLimits, timeMs: UInt64? = nil)
    /// The connection to a relay is over. Answers that did not come will not come.
    case disconnected(RelayID)
    /// The answer to a request.
    case answered(RelayID, tag: UInt64, Result<Reply, RelayError>)
    /// A follow began: the first entry that it will bring, and the last that is there already.
    case followStarted(RelayID, tag: UInt64, firstSeq: UInt64, lastSeq: UInt64)
    /// What a follow brought.
    case followed(RelayID, tag: UInt64, FollowEvent)
    /// A follow is over because the relay refused it or ended it. Not said after `epochEnded`, or after an unfollow.
    case followRefused(RelayID, tag: UInt64, RelayError)
    /// The user wants something.
    case command(CommandID, Command)
    /// Time has passed.
    case tick
}

/// What a user may want.
package enum Command: Sendable {
    /// Make an inbox and an invite to it. `expiresAt` in seconds since 1970.
    case createInvite(relay: RelayPoint, isReusable: Bool, expiresAt: UInt64)
    /// Close an invite.
    case revokeInvite(InboxID)
    /// Use somebody's invite. `name` is what to call them, instead of what they call themselves.
    case join(Invite, name: String?)
    /// Put a record under a name at a relay that leads to this profile.
    case register(Name, RelayPoint)
    /// Find who holds a name at a relay, and remember them as a contact.
    case lookUp(Name, RelayPoint, as: String?)
    /// Take part in a conversation that a stranger began.
    case accept(ConversationID)
    /// Open a conversation of two, or find the one there is.
    /// Over at once, or when the contact can find it.
    case startConversation(ContactID, waits: Bool)
    /// Make a group.
    case createGroup(title: String, RelayPoint, [ContactID])
    /// Add members to a group, or add again those whose device is new.
    case add(ConversationID, [ContactID])
    /// Remove a member.
    case remove(ConversationID, ContactID)
    /// Leave a conversation.
    case leave(ConversationID)
    /// Give a group another name.
    case rename(ConversationID, String)
    /// Say something. `expiresAfter` in seconds.
    case send(ConversationID, text: String, replyTo: EntryID?, expiresAfter: UInt32?)
    /// Say what another process has left to be said: an item of the table of requests, with its value.
    case takeRequest(item: UInt64, [UInt8])
    /// Everything up to a seq was shown; whether the others are told.
    case markRead(ConversationID, through: UInt64, sendsReceipt: Bool)
    /// Ask who is there, with a nonce.
    case liveCheck(ConversationID)
    /// Change what is known of a contact: the safety numbers were compared, or were not after all.
    case setVerified(ContactID, Bool)
    /// Decide about a conflicting key: take it, or keep the pinned one.
    case decideKey(ContactID, accept: Bool)
    /// Call a contact something else.
    case renameContact(ContactID, String)
    /// Go on although the relay showed different logs.
    case trustLog(ConversationID)
    /// Renew this device's keys in a conversation now.
    case renewKeys(ConversationID)
    /// Finishes at once.
    case setPass(RelayPoint)
}

/// What came of a command.
package enum CommandResult: Sendable {
    /// It is done.
    case done
    /// The invite that was made.
    case invite(OpenInvite)
    /// The conversation that was made or found.
    case conversation(ConversationID)
    /// The message as it was stored.
    case message(Message)
    /// The contact that was found.
    case contact(ContactID)
}
