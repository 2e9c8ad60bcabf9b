import KithWire

// Each of these returns when what it does is on this device's disk and, where it says so, at the relay. While a relay can't
// be reached, those that need it wait: cancel by closing, or bound the wait from outside.

extension Profile {
    /// Makes an inbox at a relay and an invite to it. Returns when the relay has it.
    ///
    /// - Parameter lifetime: how long the invite works: at most ten years.
    /// - Throws: ``KithError``; ``KithError/duration(longest:)`` for a lifetime that is none or too long.
    public func createInvite(
        at relay: RelayPoint, isReusable: Bool = false, lifetime: Duration = .seconds(7 * 24 * 3_600)
    ) async throws(KithError) -> OpenInvite {
        let expiresAt = Self.now / 1000 + (try lifetime.seconds(upTo: ClientLimits.inviteSeconds))
        return try await perform(.createInvite(relay: relay, isReusable: isReusable, expiresAt: expiresAt))
    }

    /// Closes an invite. Returns when the relay has closed it. From the call on, this device takes nothing that comes through it,
    /// also if the relay hears of it only later.
    public func revoke(_ invite: InboxID) async throws(KithError) { try await perform(.revokeInvite(invite)) }

    /// Uses somebody's invite: makes a conversation with them. Returns when they will find it in their inbox.
    ///
    /// - Parameter name: what to call them here, instead of what they call themselves.
    public func join(_ invite: Invite, name: String? = nil) async throws(KithError) -> ConversationID {
        try await perform(.join(invite, name: name))
    }

    /// Puts a record under a name at a relay, so that whoever asks there finds this profile. First come, first served.
    public func register(_ name: Name, at relay: RelayPoint) async throws(KithError) {
        try await perform(.register(name, relay))
    }

    /// Finds who holds a name at a relay, and remembers them as an unverified contact.
    public func lookUp(_ name: Name, at relay: RelayPoint, as alias: String? = nil) async throws(KithError) -> ContactID
    {
        try await perform(.lookUp(name, relay, as: alias))
    }

    /// Takes part in a conversation that a stranger began (``ConversationSummary/isPending``): fetches what was said, and lets the
    /// stranger see that this device is there. Sending does that too. Does nothing in other conversations.
    public func accept(_ conversation: ConversationID) async throws(KithError) {
        try await perform(.accept(conversation))
    }

    /// Opens a conversation of two, or finds the one there is.
    ///
    /// - Parameter waits: whether to return when the contact can find it, or at once. What is said before waits for that; if the contact can't
    ///   be reached that way any more, a conversation in which nothing was said is gone, and another is stopped.
    public func startConversation(with contact: ContactID, waits: Bool = true) async throws(KithError) -> ConversationID
    {
        try await perform(.startConversation(contact, waits: waits))
    }

    /// Makes a group. Returns when everyone can find it in their inbox.
    public func createGroup(
        _ title: String, at relay: RelayPoint, members: [ContactID]
    ) async throws(KithError) -> ConversationID {
        try await perform(.createGroup(title: title, relay, members))
    }

    /// Adds members to a group, or adds again those whose device is new.
    public func add(_ contacts: [ContactID], to conversation: ConversationID) async throws(KithError) {
        _ = try await perform(.add(conversation, contacts))
    }

    /// Removes a member of a group. Returns when the relay no longer lets them in.
    public func remove(_ contact: ContactID, from conversation: ConversationID) async throws(KithError) {
        _ = try await perform(.remove(conversation, contact))
    }

    /// Leaves a conversation. The other members' devices take this one out as soon as one of them sees it.
    public func leave(_ conversation: ConversationID) async throws(KithError) {
        _ = try await perform(.leave(conversation))
    }

    /// Gives a group another name.
    public func rename(_ conversation: ConversationID, to title: String) async throws(KithError) {
        _ = try await perform(.rename(conversation, title))
    }

    /// Stores a text to be sent, and returns at once. What becomes of it comes as events.
    ///
    /// - Parameter expiresAfter: time after which everyone deletes it, in whole seconds: at most 136 years.
    public func send(
        _ text: String, to conversation: ConversationID, replyTo: EntryID? = nil, expiresAfter: Duration? = nil
    ) async throws(KithError) -> Message {
        try await perform(
            .send(conversation, text: text, replyTo: replyTo, expiresAfter: try expiresAfter?.textSeconds()))
    }

    /// Remembers that everything up to a seq was shown.
    ///
    /// - Parameter sendsReceipt: whether the others are told.
    public func markRead(
        _ conversation: ConversationID, through seq: UInt64, sendsReceipt: Bool = true
    ) async throws(KithError) {
        try await perform(.markRead(conversation, through: seq, sendsReceipt: sendsReceipt))
    }

    /// Asks who is here, with a nonce. Who proves to be comes as ``KithEvent/present(_:_:name:)``.
    public func checkPresence(in conversation: ConversationID) async throws(KithError) {
        try await perform(.liveCheck(conversation))
    }

    /// Says that the safety numbers were compared, or takes that back.
    public func setVerified(_ contact: ContactID, _ isVerified: Bool) async throws(KithError) {
        try await perform(.setVerified(contact, isVerified))
    }

    /// Decides about a key that claims to be a contact's: takes it as the contact's own, or keeps the pinned one.
    public func decideKey(of contact: ContactID, accept: Bool) async throws(KithError) {
        try await perform(.decideKey(contact, accept: accept))
    }

    /// Calls a contact something else.
    public func rename(_ contact: ContactID, to name: String) async throws(KithError) {
        try await perform(.renameContact(contact, name))
    }

    /// Goes on in a conversation whose relay showed different logs.
    public func trustLog(of conversation: ConversationID) async throws(KithError) {
        _ = try await perform(.trustLog(conversation))
    }

    /// Uses the pass that a relay of this profile has now, and connects to it again.
    public func setPass(of relay: RelayPoint) async throws(KithError) { try await perform(.setPass(relay)) }

    /// Renews this device's keys in a conversation now.
    public func renewKeys(in conversation: ConversationID) async throws(KithError) {
        _ = try await perform(.renewKeys(conversation))
    }
}
