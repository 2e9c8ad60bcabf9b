import KithWire

// The user's commands. Each has its arguments, the type of its result, and the function of the machine that performs it.

extension Command where Answer == OpenInvite {
    /// Creates an inbox and an invite to it. Finishes when the relay has the inbox and its key packages.
    ///
    /// - Parameter expiresAt: the time at which the invite expires, in seconds since 1970.
    package static func createInvite(relay: RelayPoint, isReusable: Bool, expiresAt: UInt64) -> Self {
        Command { (profile, ticket) throws(KithError) in
            try profile.createInvite(at: relay, isReusable: isReusable, expiresAt: expiresAt, ticket)
        }
    }
}

extension Command where Answer == ConversationID {
    /// Uses another profile's invite. Finishes when the inviter can find the conversation.
    ///
    /// - Parameter name: the inviter's name on this device; `nil` for the name in the invite.
    package static func join(_ invite: Invite, name: String?) -> Self {
        Command { (profile, ticket) throws(KithError) in try profile.join(invite, name, ticket) }
    }

    /// Begins a conversation of two with a contact. If the profile already has a conversation of two with the contact, returns
    /// that conversation.
    ///
    /// - Parameter waits: `true` to finish when the contact can find the conversation, `false` to finish at once.
    package static func startConversation(_ contact: ContactID, waits: Bool) -> Self {
        Command { (profile, ticket) throws(KithError) in
            try profile.startConversation(contact, waits: waits, ticket)
        }
    }

    /// Sends a text privately to a member of a group. The result is the group through which the text is sent.
    package static func sendPrivately(_ text: String, to contact: ContactID) -> Self {
        Command(now: { (profile) throws(KithError) in try profile.sendPrivately(text, to: contact) })
    }

    package static func createGroup(title: String, _ relay: RelayPoint, _ members: [ContactID]) -> Self {
        Command { (profile, ticket) throws(KithError) in
            try profile.createGroup(title, relay, members, ticket)
        }
    }

    /// Adds people to a group, or the other person's new device to a conversation of two. If a person is already a member, the
    /// person's new device replaces the older ones.
    ///
    /// - Parameter again: whether to add a device again if the device is already a member.
    package static func add(_ conversation: ConversationID, _ members: [ContactID], again: Bool = false) -> Self {
        Command { (profile, ticket) throws(KithError) in
            try profile.add(members, to: conversation, again: again, ticket)
        }
    }

    package static func remove(_ conversation: ConversationID, _ contact: ContactID) -> Self {
        Command { (profile, ticket) throws(KithError) in
            try profile.remove(contact, from: conversation, ticket)
        }
    }

    package static func leave(_ conversation: ConversationID) -> Self {
        Command { (profile, ticket) throws(KithError) in try profile.leave(conversation, ticket) }
    }

    /// Changes the title of a group.
    package static func rename(_ conversation: ConversationID, _ title: String) -> Self {
        Command { (profile, ticket) throws(KithError) in
            try profile.rename(conversation, title, ticket)
        }
    }

    /// Allows sending again after a warning that the relay has shown different logs to members.
    package static func trustLog(_ conversation: ConversationID) -> Self {
        Command { (profile, ticket) throws(KithError) in
            _ = try profile.state.conversations.conversation(conversation)
            try profile.pass(.trustLog(ticket), to: conversation)
        }
    }

    /// Renews this device's keys in a conversation, even if the renewal is not due.
    package static func renewKeys(_ conversation: ConversationID) -> Self {
        Command { (profile, ticket) throws(KithError) in
            _ = try profile.state.conversations.active(conversation)
            try profile.request(.renew, in: conversation, ticket)
        }
    }
}

extension Command where Answer == ContactID {
    /// Looks up the owner of a name at a relay, and adds the owner to the contacts.
    package static func lookUp(_ name: Name, _ relay: RelayPoint, as alias: String?) -> Self {
        Command { (profile, ticket) throws(KithError) in try profile.lookUp(name, relay, as: alias, ticket) }
    }
}

extension Command where Answer == EntryID {
    /// Sends a text. The result is the message's id. Events report the message in each of its states.
    ///
    /// - Parameter expiresAfter: the time after which the text expires, in seconds.
    package static func send(
        _ conversation: ConversationID, text: String, replyTo: EntryID?, expiresAfter: UInt32?
    ) -> Self {
        Command { (profile, ticket) throws(KithError) in
            try profile.checkSending(text, to: conversation)
            let message = OutgoingMessage(
                id: profile.newEntryID, .text(MessageText(text)), replyTo: replyTo, expiresAfter: expiresAfter)
            try profile.send(message, to: conversation, ticket)
        }
    }

    /// Performs a request that another process has put into the table of requests: sends a text, files or a change of a
    /// message, or downloads a file.
    ///
    /// - Parameters:
    ///   - item: the request's item in that table.
    ///   - bytes: the stored request.
    package static func takeRequest(item: UInt64, _ bytes: [UInt8]) -> Self {
        Command { (profile, ticket) throws(KithError) in try profile.takeRequest(item: item, bytes, ticket) }
    }

    /// Replies to a message that a cursor's reader got, and acknowledges that message. The reply and the acknowledgement are
    /// stored together, or neither is stored.
    ///
    /// - Parameters:
    ///   - text: the text of the reply.
    ///   - place: the place of the message that is acknowledged.
    ///   - replyTo: the message that the reply answers.
    ///   - expiresAfter: the time after which the text expires, in seconds.
    package static func reply(
        _ text: String, to place: IncomingPlace, replyTo: EntryID, expiresAfter: UInt32?
    ) -> Self {
        Command { (profile, ticket) throws(KithError) in
            try profile.checkSending(text, to: place.conversation)
            try profile.acknowledge(place)
            let message = OutgoingMessage(
                id: profile.newEntryID, .text(MessageText(text)), replyTo: replyTo, expiresAfter: expiresAfter)
            try profile.send(message, to: place.conversation, ticket)
        }
    }
}

extension Command where Answer == CursorReader {
    /// Opens a cursor for a reader. Creates the cursor if it does not exist.
    package static func openCursor(_ name: String, from start: CursorStart) -> Self {
        Command(now: { (profile) throws(KithError) in
            try profile.withCursors { (cursors, state) throws(KithError) in
                try cursors.open(name, from: start, in: &state)
            }
        })
    }
}

extension Command where Answer == Incoming {
    /// Finds the next message for the reader of a cursor.
    package static func nextIncoming(_ reader: CursorReader) -> Self {
        Command(now: { (profile) throws(KithError) in
            try profile.withCursors { (cursors, state) throws(KithError) in
                try cursors.next(for: reader, in: &state)
            }
        })
    }
}

extension Command where Answer == Int {
    /// Blocks or unblocks a contact. The result is the number of waiting messages that are dropped.
    package static func setBlocked(_ contact: ContactID, _ isBlocked: Bool) -> Self {
        Command(now: { (profile) throws(KithError) in try profile.setBlocked(contact, isBlocked) })
    }
}

extension Command where Answer == Void {
    /// Closes an invite. Finishes when the relay has closed the invite's inbox.
    package static func revokeInvite(_ invite: InboxID) -> Self {
        Command { (profile, ticket) throws(KithError) in try profile.revoke(invite, ticket) }
    }

    /// Registers a name at a relay, so that the name leads to this profile.
    package static func register(_ name: Name, _ relay: RelayPoint) -> Self {
        Command { (profile, ticket) throws(KithError) in try profile.register(name, relay, ticket) }
    }

    /// Accepts a conversation that a stranger began.
    package static func accept(_ conversation: ConversationID) -> Self {
        Command(now: { (profile) throws(KithError) in
            _ = try profile.state.conversations.conversation(conversation)
            try profile.accept(conversation)
        })
    }

    /// Accepts or declines a contact's private request. The request contains the contact's address, which this device uses if
    /// the request is accepted.
    package static func decideRequest(of contact: ContactID, accept: Bool) -> Self {
        Command(now: { (profile) throws(KithError) in try profile.decideRequest(of: contact, accept: accept) })
    }

    /// Deletes an ended conversation with everything that belongs to it.
    package static func deleteConversation(_ conversation: ConversationID) -> Self {
        Command(now: { (profile) throws(KithError) in try profile.deleteConversation(conversation) })
    }

    /// Deletes a contact. The contact must not be a member of an open conversation.
    package static func deleteContact(_ contact: ContactID) -> Self {
        Command(now: { (profile) throws(KithError) in try profile.deleteContact(contact) })
    }

    /// Deletes a message on this device only.
    package static func deleteHere(_ conversation: ConversationID, _ seq: UInt64) -> Self {
        Command(now: { (profile) throws(KithError) in try profile.deleteHere(seq, in: conversation) })
    }

    /// Archives a conversation, or takes the conversation out of the archive.
    package static func setArchived(_ conversation: ConversationID, _ isArchived: Bool) -> Self {
        list(conversation, .archive(isArchived))
    }

    /// Mutes or unmutes a conversation.
    package static func setMuted(_ conversation: ConversationID, _ isMuted: Bool) -> Self {
        list(conversation, .mute(isMuted))
    }

    private static func list(_ conversation: ConversationID, _ change: ListingChange) -> Self {
        Command(now: { (profile) throws(KithError) in
            _ = try profile.state.conversations.conversation(conversation)
            try profile.pass(.list(change), to: conversation)
        })
    }

    /// Marks everything up to a seq as read.
    ///
    /// - Parameter sendsReceipt: whether to tell the other members.
    package static func markRead(_ conversation: ConversationID, through seq: UInt64, sendsReceipt: Bool) -> Self {
        Command(now: { (profile) throws(KithError) in
            _ = try profile.state.conversations.conversation(conversation)
            try profile.pass(.markRead(through: seq, sendsReceipt: sendsReceipt), to: conversation)
        })
    }

    /// Begins a live check: sends a challenge, which members who are online answer. Accepts the conversation if it is pending.
    package static func liveCheck(_ conversation: ConversationID) -> Self {
        Command(now: { (profile) throws(KithError) in
            _ = try profile.state.conversations.conversation(conversation)
            try profile.accept(conversation)
            try profile.pass(.checkPresence, to: conversation)
        })
    }

    /// Tells the members of a conversation that the user is typing.
    package static func tellTyping(in conversation: ConversationID) -> Self {
        Command(now: { (profile) throws(KithError) in
            _ = try profile.state.conversations.conversation(conversation)
            try profile.pass(.tellTyping, to: conversation)
        })
    }

    /// Marks a contact as verified because the safety numbers were compared, or removes the mark.
    package static func setVerified(_ contact: ContactID, _ isVerified: Bool) -> Self {
        Command(now: { (profile) throws(KithError) in
            try profile.withDevice { (device) throws(KithError) in
                try device.contacts.setVerified(contact, isVerified, in: &device.step)
            }
        })
    }

    /// Decides about a contact's conflicting key. If `accept` is `true`, pins the conflicting key; otherwise keeps the pinned
    /// key.
    package static func decideKey(_ contact: ContactID, accept: Bool) -> Self {
        Command(now: { (profile) throws(KithError) in try profile.decideKey(contact, accept: accept) })
    }

    /// Changes the user's own name, for all people in open conversations.
    package static func renameUser(_ name: String) -> Self {
        Command(now: { (profile) throws(KithError) in try profile.renameUser(name) })
    }

    /// Changes a contact's name on this device.
    package static func renameContact(_ contact: ContactID, _ name: String) -> Self {
        Command(now: { (profile) throws(KithError) in
            try profile.withDevice { (device) throws(KithError) in
                try device.contacts.rename(contact, name, in: &device.step)
            }
        })
    }

    /// Sets the pass that this profile uses for a relay from now on.
    package static func setPass(_ relay: RelayPoint) -> Self {
        Command(now: { (profile) throws(KithError) in
            try profile.withDevice { (device) throws(KithError) in
                try device.relays.setPass(relay, in: &device.step)
            }
        })
    }

    /// Acknowledges a message and all earlier messages of its conversation for the reader of a cursor, so that the reader does
    /// not get these messages again.
    package static func acknowledge(_ place: IncomingPlace) -> Self {
        Command(now: { (profile) throws(KithError) in try profile.acknowledge(place) })
    }

    package static func deleteCursor(_ name: String) -> Self {
        Command(now: { (profile) throws(KithError) in
            try profile.withCursors { (cursors, state) throws(KithError) in
                try cursors.delete(name, in: &state.device.step)
            }
        })
    }
}
