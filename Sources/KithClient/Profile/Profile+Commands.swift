import KithWire

// A command returns when its result is on this device's disk. Some commands also wait for the relay, and say so. While a relay
// cannot be reached, commands that need the relay wait. To stop waiting, close the profile. The commands' work continues when
// the profile is opened again.

extension Profile {
    /// Creates an inbox at a relay, and an invite to that inbox. Returns when other people can use the invite.
    ///
    /// - Parameters:
    ///   - relay: the relay of the inbox.
    ///   - isReusable: whether several people may use the invite. The users of a reusable invite count as strangers (see
    ///     ``ConversationSummary/isPending``).
    ///   - lifetime: the time until the invite expires, at most ten years.
    /// - Throws: ``KithError``. The error is ``KithError/duration(longest:)`` if the lifetime is not positive or too long.
    public func createInvite(
        at relay: RelayPoint, isReusable: Bool = false, lifetime: Duration = .seconds(7 * 24 * 3_600)
    ) async throws(KithError) -> OpenInvite {
        let expiresAt = Self.now / 1000 + (try lifetime.seconds(upTo: ClientLimits.inviteSeconds))
        return try await perform(.createInvite(relay: relay, isReusable: isReusable, expiresAt: expiresAt))
    }

    /// Closes an invite. Returns when the relay has closed the invite's inbox. From the call on, this device ignores all uses
    /// of the invite.
    public func revoke(_ invite: InboxID) async throws(KithError) { try await perform(.revokeInvite(invite)) }

    /// Uses an invite, and begins a conversation with the inviter. Returns when the invitation to the conversation has been
    /// delivered.
    ///
    /// - Parameters:
    ///   - invite: the invite, for instance from ``Invite/init(line:)``.
    ///   - name: the name of the inviter on this device; by default, the name in the invite.
    /// - Throws: ``KithError``, for example ``KithError/inviteExpired`` or ``KithError/inviteUsed``.
    public func join(_ invite: Invite, name: String? = nil) async throws(KithError) -> ConversationID {
        try await perform(.join(invite, name: name))
    }

    /// Registers a name at a relay. Other people can find this profile by that name. The first profile that registers a name gets
    /// it.
    public func register(_ name: Name, at relay: RelayPoint) async throws(KithError) {
        try await perform(.register(name, relay))
    }

    /// Finds the owner of a name at a relay. If the owner is not a contact yet, adds the owner to the contacts as unverified,
    /// under the name `alias` if it is given.
    public func lookUp(_ name: Name, at relay: RelayPoint, as alias: String? = nil) async throws(KithError) -> ContactID
    {
        try await perform(.lookUp(name, relay, as: alias))
    }

    /// Accepts a conversation that a stranger began (``ConversationSummary/isPending``). The device then fetches the messages of
    /// the conversation, and the stranger sees that the device has joined. Sending a message accepts a conversation too. If the
    /// conversation is not pending, does nothing.
    public func accept(_ conversation: ConversationID) async throws(KithError) {
        try await perform(.accept(conversation))
    }

    /// Begins a conversation of two. If the conversation already exists, returns the existing one.
    ///
    /// - Parameters:
    ///   - contact: the other person.
    ///   - waits: whether to wait until the invitation has been delivered. Messages may be sent before the delivery; they are
    ///     queued. If the delivery fails for good, an empty conversation is deleted, and a conversation with messages is stopped.
    /// - Throws: ``KithError``, for example ``KithError/notReachable(_:_:)``.
    public func startConversation(with contact: ContactID, waits: Bool = true) async throws(KithError) -> ConversationID
    {
        try await perform(.startConversation(contact, waits: waits))
    }

    /// Creates a group. Returns when the invitations to all members have been delivered.
    public func createGroup(
        _ title: String, at relay: RelayPoint, members: [ContactID]
    ) async throws(KithError) -> ConversationID {
        try await perform(.createGroup(title: title, relay, members))
    }

    /// Adds contacts to a group, or the other person's new device to a conversation of two. If a contact is a member already,
    /// but has a new device, the new device replaces the old one.
    ///
    /// - Parameters:
    ///   - contacts: the contacts; in a conversation of two, the other person alone.
    ///   - conversation: the group or the conversation of two.
    ///   - again: whether to add a device again if the device is already a member. A device that has lost the conversation
    ///     needs this.
    /// - Throws: ``KithError``, for example ``KithError/membership(_:)`` with ``MembershipProblem/alreadyMember(_:device:)``. The
    ///   other contacts are added all the same.
    public func add(
        _ contacts: [ContactID], to conversation: ConversationID, again: Bool = false
    ) async throws(KithError) {
        _ = try await perform(.add(conversation, contacts, again: again))
    }

    /// Removes a member from a group. Returns when the relay no longer gives the group's entries to the member.
    public func remove(_ contact: ContactID, from conversation: ConversationID) async throws(KithError) {
        _ = try await perform(.remove(conversation, contact))
    }

    /// Leaves a conversation. Of the other members' devices, the first that notices the departure removes this device from the
    /// group.
    public func leave(_ conversation: ConversationID) async throws(KithError) {
        _ = try await perform(.leave(conversation))
    }

    /// Deletes an ended conversation from this device, with its messages and everything else that belongs to it.
    ///
    /// - Throws: ``KithError``. The error is ``KithError/membership(_:)`` if the conversation has not ended. Leave the
    ///   conversation first.
    public func delete(_ conversation: ConversationID) async throws(KithError) {
        try await perform(.deleteConversation(conversation))
    }

    /// Deletes a message on this device only. The message's place in the log stays, without content.
    public func deleteHere(_ seq: UInt64, in conversation: ConversationID) async throws(KithError) {
        try await perform(.deleteHere(conversation, seq))
    }

    /// Archives a conversation, or takes the conversation out of the archive. An archived conversation is not listed until a
    /// message arrives.
    public func setArchived(_ isArchived: Bool, _ conversation: ConversationID) async throws(KithError) {
        try await perform(.setArchived(conversation, isArchived))
    }

    /// Mutes or unmutes a conversation. The messages of a muted conversation are not announced, and still count as unread.
    public func setMuted(_ isMuted: Bool, _ conversation: ConversationID) async throws(KithError) {
        try await perform(.setMuted(conversation, isMuted))
    }

    /// Sends a first text to a person whom the user knows only from a group. The text travels through the group, and only that
    /// person can read it. If the person accepts, a conversation of two begins with the text as its first message.
    ///
    /// - Returns: the group.
    /// - Throws: ``KithError``, for instance ``KithError/notReachable(_:_:)`` if there is no common group, or if the person has
    ///   not accepted an earlier request yet.
    @discardableResult
    public func sendPrivately(_ text: String, to contact: ContactID) async throws(KithError) -> ConversationID {
        try await perform(.sendPrivately(text, to: contact))
    }

    /// Accepts a private request (``Contact/groupRequest``), and begins the conversation of two.
    public func acceptRequest(of contact: ContactID) async throws(KithError) -> ConversationID {
        try await perform(.decideRequest(of: contact, accept: true))
        return try await startConversation(with: contact, waits: false)
    }

    /// Declines a private request on this device. The sender is not told.
    public func ignoreRequest(of contact: ContactID) async throws(KithError) {
        try await perform(.decideRequest(of: contact, accept: false))
    }

    /// The number of private requests that the relay does not have yet.
    package func waitingRequests() -> Int { machine.waitingRequests }

    /// Deletes a contact from this device. The contact's messages in groups stay, without the contact's name.
    ///
    /// - Throws: ``KithError``. The error is ``KithError/membership(_:)`` if the contact is a member of an open conversation.
    public func delete(_ contact: ContactID) async throws(KithError) { try await perform(.deleteContact(contact)) }

    /// Renames a group.
    public func rename(_ conversation: ConversationID, to title: String) async throws(KithError) {
        _ = try await perform(.rename(conversation, title))
    }

    /// Stores a text, and returns at once. The text is sent later.
    ///
    /// After the text is stored, the profile reports a ``KithEvent/message(_:)`` with the returned id. The profile reports
    /// another event after each change of the message's state. A slow subscriber may get only the last state.
    ///
    /// - Parameters:
    ///   - text: the text.
    ///   - conversation: the conversation that gets the text.
    ///   - replyTo: the message that the text answers, if any.
    ///   - expiresAfter: time after which each device deletes the text, counted from the text's arrival on that device, and
    ///     rounded up to whole seconds; at most 136 years. `nil` for never.
    /// - Returns: the message's id.
    /// - Throws: ``KithError`` if the text is not accepted for sending, for example because it is too long. After an error,
    ///   nothing is stored.
    @discardableResult
    public func send(
        _ text: String, to conversation: ConversationID, replyTo: EntryID? = nil, expiresAfter: Duration? = nil
    ) async throws(KithError) -> EntryID {
        try await perform(
            .send(conversation, text: text, replyTo: replyTo, expiresAfter: try expiresAfter?.textSeconds()))
    }

    /// Marks all messages up to a place in the log as read.
    ///
    /// - Parameters:
    ///   - conversation: the conversation.
    ///   - seq: the seq of the last message that was shown.
    ///   - sendsReceipt: whether this device tells the other members.
    /// - Throws: ``KithError``.
    public func markRead(
        _ conversation: ConversationID, through seq: UInt64, sendsReceipt: Bool = true
    ) async throws(KithError) {
        try await perform(.markRead(conversation, through: seq, sendsReceipt: sendsReceipt))
    }

    /// Asks the members of a conversation to prove that they are online. Each proof causes a
    /// ``KithEvent/memberIsOnline(_:_:name:_:)``.
    public func checkPresence(in conversation: ConversationID) async throws(KithError) {
        try await perform(.liveCheck(conversation))
    }

    /// Tells the members of a conversation who are online that the user is typing. Call this function whenever the user has changed
    /// an unfinished message; at most one call in 5 seconds has an effect. Nothing is stored, here or at the relay.
    ///
    /// The members are not told in these cases:
    ///
    /// - This device is not connected, or has not read the conversation's log to its end.
    /// - The user or the other person has not accepted the conversation.
    /// - The conversation has more than ``ClientLimits/membersWithReceipts`` members.
    /// - The user has blocked a member, or a text could not be sent for another reason.
    ///
    /// If the user does not want others to know, don't call this function, and don't show ``KithEvent/typing(_:_:)`` either.
    ///
    /// - Throws: ``KithError``, for instance ``KithError/notFound(_:)``.
    public func tellTyping(in conversation: ConversationID) async throws(KithError) {
        try await perform(.tellTyping(in: conversation))
    }

    /// Marks a contact as verified or as not verified. Mark a contact as verified only after a comparison of the safety numbers.
    public func setVerified(_ contact: ContactID, _ isVerified: Bool) async throws(KithError) {
        try await perform(.setVerified(contact, isVerified))
    }

    /// Blocks or unblocks a contact.
    ///
    /// Messages, invitations and live checks of a blocked contact are dropped, also in groups. If the user has not accepted a
    /// conversation that the contact began, the conversation is declined. Other members do not learn that the contact is blocked.
    /// Messages that were dropped do not come back when the contact is unblocked.
    ///
    /// Messages to the contact that wait on this device are not sent: each causes a ``KithEvent/warning(_:_:times:)`` or a
    /// ``KithEvent/file(_:_:_:)``. A message that may already be at the relay is dropped later, unless the relay has it.
    ///
    /// - Returns: the number of messages that waited and are not sent.
    /// - Throws: ``KithError``.
    @discardableResult
    public func setBlocked(_ contact: ContactID, _ isBlocked: Bool) async throws(KithError) -> Int {
        try await perform(.setBlocked(contact, isBlocked))
    }

    /// Decides about a key that was presented as a contact's new key. The contact either gets the new key or keeps the pinned
    /// key.
    public func decideKey(of contact: ContactID, accept: Bool) async throws(KithError) {
        try await perform(.decideKey(contact, accept: accept))
    }

    /// Changes the user's own name. Returns when the name is stored. The members of each open conversation learn the new name
    /// with the next change of this device's keys. The keys change as soon as the relay is connected.
    ///
    /// - Throws: ``KithError``, for instance ``KithError/nameTaken(_:)`` if a contact has the name.
    public func renameUser(to name: String) async throws(KithError) { try await perform(.renameUser(name)) }

    /// Changes the name of a contact on this device.
    public func rename(_ contact: ContactID, to name: String) async throws(KithError) {
        try await perform(.renameContact(contact, name))
    }

    /// Continues a conversation after a warning about its relay. The warning says that the relay may have shown different logs to
    /// the members.
    public func trustLog(of conversation: ConversationID) async throws(KithError) {
        _ = try await perform(.trustLog(conversation))
    }

    /// Replaces this profile's pass for a relay by the pass in `relay`, and connects to the relay again.
    public func setPass(of relay: RelayPoint) async throws(KithError) { try await perform(.setPass(relay)) }

    /// Renews this device's keys in a conversation now.
    public func renewKeys(in conversation: ConversationID) async throws(KithError) {
        _ = try await perform(.renewKeys(conversation))
    }

    // MARK: Changes of messages

    // Each of these calls returns when its change is stored on this device. The order of the log decides whether and when the
    // change takes effect. An event ``KithEvent/messageChanged(_:_:)`` reports the effect on a message.

    /// Sets the user's reaction to a message, or removes it.
    ///
    /// - Parameters:
    ///   - reaction: one emoji or one other character; `nil` removes the reaction.
    ///   - seq: the message's position in the log.
    ///   - conversation: the message's conversation.
    /// - Throws: ``KithError``, for instance ``KithError/message(_:)`` or ``KithError/notFound(_:)``.
    public func react(
        _ reaction: String?, to seq: UInt64, in conversation: ConversationID
    ) async throws(KithError) {
        _ = try await perform(.change(conversation, seq, .reaction(reaction)))
    }

    /// Replaces the text of one of the user's own messages. The message keeps its place, and is marked as edited.
    ///
    /// - Throws: ``KithError``, for instance ``KithError/message(_:)`` if another person has written the message.
    public func edit(
        _ seq: UInt64, in conversation: ConversationID, to text: String
    ) async throws(KithError) {
        _ = try await perform(.change(conversation, seq, .edit(text)))
    }

    /// Deletes one of the user's own messages on the devices of all members. The message keeps its place, without content.
    ///
    /// - Throws: ``KithError``, for instance ``KithError/message(_:)`` if another person has written the message.
    public func deleteForEveryone(_ seq: UInt64, in conversation: ConversationID) async throws(KithError) {
        _ = try await perform(.change(conversation, seq, .deletion))
    }

    /// Pins a message for all members, or removes its pin. At most ``ClientLimits/pins`` messages are pinned at a time: one
    /// more pin removes the oldest one.
    ///
    /// - Throws: ``KithError``.
    public func setPinned(
        _ isPinned: Bool, _ seq: UInt64, in conversation: ConversationID
    ) async throws(KithError) {
        _ = try await perform(.change(conversation, seq, .pin(isPinned)))
    }

    /// Sets the time after which the conversation's new messages expire on the devices of all members. Messages that are already
    /// in the log keep their times.
    ///
    /// - Parameters:
    ///   - duration: the time, rounded up to whole seconds; `nil` for never.
    ///   - conversation: the conversation.
    /// - Throws: ``KithError``.
    public func setTimer(
        _ duration: Duration?, in conversation: ConversationID
    ) async throws(KithError) {
        _ = try await perform(.setTimer(conversation, seconds: try duration?.textSeconds()))
    }
}
