import KithWire

// The commands of a user: what each takes and answers, and the function of the machine that does it.

extension Command where Answer == OpenInvite {
    /// Makes an inbox and an invite to it; done once the relay has both.
    ///
    /// - Parameter expiresAt: seconds since 1970.
    package static func createInvite(relay: RelayPoint, isReusable: Bool, expiresAt: UInt64) -> Self {
        Command { (messenger, ticket) throws(KithError) in
            try messenger.createInvite(at: relay, isReusable: isReusable, expiresAt: expiresAt, ticket)
        }
    }
}

extension Command where Answer == ConversationID {
    /// Uses another profile's invite; done once the inviter can find the conversation.
    ///
    /// - Parameter name: the name of the inviter here, instead of the name in the invite.
    package static func join(_ invite: Invite, name: String?) -> Self {
        Command { (messenger, ticket) throws(KithError) in try messenger.join(invite, name, ticket) }
    }

    /// Opens a conversation of two, or finds the one there is.
    ///
    /// - Parameter waits: whether it is done once the contact can find the conversation, or at once.
    package static func startConversation(_ contact: ContactID, waits: Bool) -> Self {
        Command { (messenger, ticket) throws(KithError) in
            try messenger.startConversation(contact, waits: waits, ticket)
        }
    }

    /// Makes a group.
    package static func createGroup(title: String, _ relay: RelayPoint, _ members: [ContactID]) -> Self {
        Command { (messenger, ticket) throws(KithError) in
            try messenger.createGroup(title, relay, members, ticket)
        }
    }

    /// Adds members to a group, or adds again those whose device is new.
    package static func add(_ conversation: ConversationID, _ members: [ContactID]) -> Self {
        Command { (messenger, ticket) throws(KithError) in
            try messenger.add(members, to: conversation, ticket)
        }
    }

    /// Removes a member.
    package static func remove(_ conversation: ConversationID, _ contact: ContactID) -> Self {
        Command { (messenger, ticket) throws(KithError) in
            try messenger.remove(contact, from: conversation, ticket)
        }
    }

    /// Leaves a conversation.
    package static func leave(_ conversation: ConversationID) -> Self {
        Command { (messenger, ticket) throws(KithError) in try messenger.leave(conversation, ticket) }
    }

    /// Gives a group another name.
    package static func rename(_ conversation: ConversationID, _ title: String) -> Self {
        Command { (messenger, ticket) throws(KithError) in
            try messenger.rename(conversation, title, ticket)
        }
    }

    /// Goes on although the relay showed different logs.
    package static func trustLog(_ conversation: ConversationID) -> Self {
        Command { (messenger, ticket) throws(KithError) in
            _ = try messenger.state.conversations.conversation(conversation)
            try messenger.change(conversation) { (machine, device) throws(KithError) in
                try machine.trustLog(ticket, in: &device)
            }
        }
    }

    /// Renews this device's keys in a conversation now.
    package static func renewKeys(_ conversation: ConversationID) -> Self {
        Command { (messenger, ticket) throws(KithError) in
            _ = try messenger.state.conversations.active(conversation)
            try messenger.request(.renew, in: conversation, ticket)
        }
    }
}

extension Command where Answer == ContactID {
    /// Finds who holds a name at a relay, and remembers them as a contact.
    package static func lookUp(_ name: Name, _ relay: RelayPoint, as alias: String?) -> Self {
        Command { (messenger, ticket) throws(KithError) in try messenger.lookUp(name, relay, as: alias, ticket) }
    }
}

extension Command where Answer == EntryID {
    /// Says something. The answer is the message's id; the message itself is told as an event, once for each state.
    ///
    /// - Parameter expiresAfter: seconds.
    package static func send(
        _ conversation: ConversationID, text: String, replyTo: EntryID?, expiresAfter: UInt32?
    ) -> Self {
        Command { (messenger, ticket) throws(KithError) in
            try messenger.checkSending(text, to: conversation)
            let text = OutgoingText(
                id: messenger.newEntryID, text: text, replyTo: replyTo, expiresAfter: expiresAfter)
            try messenger.send(text, to: conversation, ticket)
        }
    }

    /// Says what another process has left to be said: an item of the table of requests, with its value.
    package static func takeRequest(item: UInt64, _ bytes: [UInt8]) -> Self {
        Command { (messenger, ticket) throws(KithError) in try messenger.takeRequest(item: item, bytes, ticket) }
    }

    /// Answers a message that a cursor's reader was given, and acknowledges it: both, or neither.
    ///
    /// - Parameters:
    ///   - replyTo: the message that is answered.
    ///   - expiresAfter: seconds.
    package static func reply(
        _ text: String, to place: IncomingPlace, replyTo: EntryID, expiresAfter: UInt32?
    ) -> Self {
        Command { (messenger, ticket) throws(KithError) in
            try messenger.checkSending(text, to: place.conversation)
            try messenger.acknowledge(place)
            let text = OutgoingText(
                id: messenger.newEntryID, text: text, replyTo: replyTo, expiresAfter: expiresAfter)
            try messenger.send(text, to: place.conversation, ticket)
        }
    }
}

extension Command where Answer == CursorReader {
    /// Begins to read a cursor, which is made if it is not there.
    package static func openCursor(_ name: String, from start: CursorStart) -> Self {
        Command(now: { (messenger) throws(KithError) in
            try messenger.withCursors { (cursors, profile) throws(KithError) in
                try cursors.open(name, from: start, in: &profile)
            }
        })
    }
}

extension Command where Answer == Incoming {
    /// Finds the next message for the reader of a cursor.
    package static func nextIncoming(_ reader: CursorReader) -> Self {
        Command(now: { (messenger) throws(KithError) in
            try messenger.withCursors { (cursors, profile) throws(KithError) in
                try cursors.next(for: reader, in: &profile)
            }
        })
    }
}

extension Command where Answer == Void {
    /// Closes an invite; done once the relay has closed it.
    package static func revokeInvite(_ invite: InboxID) -> Self {
        Command { (messenger, ticket) throws(KithError) in try messenger.revoke(invite, ticket) }
    }

    /// Puts a record under a name at a relay that leads to this profile.
    package static func register(_ name: Name, _ relay: RelayPoint) -> Self {
        Command { (messenger, ticket) throws(KithError) in try messenger.register(name, relay, ticket) }
    }

    /// Takes part in a conversation that a stranger began.
    package static func accept(_ conversation: ConversationID) -> Self {
        Command(now: { (messenger) throws(KithError) in
            _ = try messenger.state.conversations.conversation(conversation)
            try messenger.accept(conversation)
        })
    }

    /// Notes that everything up to a seq was shown.
    ///
    /// - Parameter sendsReceipt: whether the others are told.
    package static func markRead(_ conversation: ConversationID, through seq: UInt64, sendsReceipt: Bool) -> Self {
        Command(now: { (messenger) throws(KithError) in
            _ = try messenger.state.conversations.conversation(conversation)
            try messenger.change(conversation) { (machine, device) throws(KithError) in
                try machine.markRead(through: seq, sendsReceipt: sendsReceipt, in: &device)
            }
        })
    }

    /// Asks who is there, with a nonce.
    package static func liveCheck(_ conversation: ConversationID) -> Self {
        Command(now: { (messenger) throws(KithError) in
            _ = try messenger.state.conversations.conversation(conversation)
            try messenger.accept(conversation)
            try messenger.change(conversation) { (machine, device) throws(KithError) in
                try machine.checkPresence(in: &device)
            }
        })
    }

    /// Changes what is known of a contact: the safety numbers were compared, or were not after all.
    package static func setVerified(_ contact: ContactID, _ isVerified: Bool) -> Self {
        Command(now: { (messenger) throws(KithError) in
            try messenger.withDevice { (device) throws(KithError) in
                try device.contacts.setVerified(contact, isVerified, in: &device.step)
            }
        })
    }

    /// Decides about a conflicting key: takes it, or keeps the pinned one.
    package static func decideKey(_ contact: ContactID, accept: Bool) -> Self {
        Command(now: { (messenger) throws(KithError) in try messenger.decideKey(contact, accept: accept) })
    }

    /// Calls a contact something else.
    package static func renameContact(_ contact: ContactID, _ name: String) -> Self {
        Command(now: { (messenger) throws(KithError) in
            try messenger.withDevice { (device) throws(KithError) in
                try device.contacts.rename(contact, name, in: &device.step)
            }
        })
    }

    /// Uses the pass of a relay from now on.
    package static func setPass(_ relay: RelayPoint) -> Self {
        Command(now: { (messenger) throws(KithError) in
            try messenger.withDevice { (device) throws(KithError) in
                try device.relays.setPass(relay, in: &device.step)
            }
        })
    }

    /// Notes that a cursor's reader is done with a message, and with all before it in the conversation.
    package static func acknowledge(_ place: IncomingPlace) -> Self {
        Command(now: { (messenger) throws(KithError) in try messenger.acknowledge(place) })
    }

    /// Forgets a cursor.
    package static func deleteCursor(_ name: String) -> Self {
        Command(now: { (messenger) throws(KithError) in
            try messenger.withCursors { (cursors, profile) throws(KithError) in
                try cursors.delete(name, in: &profile.device.step)
            }
        })
    }
}
