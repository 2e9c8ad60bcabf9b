import KithCore
import KithWire

extension Profile {
    /// The messenger, with the time as it is now: what has expired is not shown any more.
    private var current: Messenger {
        messenger.look(at: Self.now, steady: Self.steady)
        return messenger
    }

    /// The profile's names and key.
    public func identity() -> ProfileIdentity { messenger.identity }

    /// All conversations, the most recently active first.
    public func conversations() throws(KithError) -> [ConversationSummary] { try messenger.conversationSummaries() }

    /// One conversation.
    public func conversation(_ id: ConversationID) throws(KithError) -> ConversationSummary {
        try messenger.conversationSummary(id)
    }

    /// All contacts, by name.
    public func contacts() -> [Contact] { messenger.contactList }

    /// The members of a conversation.
    public func members(of conversation: ConversationID) throws(KithError) -> [Member] {
        try messenger.members(of: conversation)
    }

    /// The invites that are open.
    public func openInvites() -> [OpenInvite] { current.openInvites }

    /// The relays of this profile: each with the conversations and inboxes that it has.
    public func relays() -> [RelayUse] { messenger.relayUse }

    /// How many texts wait to be sent.
    public func queuedMessages() -> Int { messenger.queuedCount }

    /// The number of invitations, to conversations and groups, that are not in the invited people's inboxes yet.
    public func waitingInvitations() -> Int { messenger.waitingInvitations }

    /// Count of damaged values that reading left out or showed as unreadable so far.
    public func damage() -> DamageCount {
        DamageCount(entries: messenger.damagedEntries.count, otherValues: messenger.damagedValues)
    }

    /// Lines of a conversation, the oldest of them first. What waits to be sent comes last.
    ///
    /// - Parameters:
    ///   - conversation: the conversation.
    ///   - seq: only what is before this; `nil` for the end of the conversation, with what waits to be sent.
    ///   - limit: how many at most.
    public func history(
        of conversation: ConversationID, before seq: UInt64? = nil, limit: Int = 100
    ) throws(KithError) -> [Message] {
        try current.history(of: conversation, before: seq, limit: limit)
    }

    /// Lines that come after a seq, the oldest first.
    public func messages(
        in conversation: ConversationID, after seq: UInt64, limit: Int = 1_000
    ) throws(KithError) -> [Message] {
        try current.messages(in: conversation, after: seq, limit: limit)
    }

    /// Texts that contain all the words, whatever their case, the newest first.
    public func search(
        _ words: String, in conversation: ConversationID? = nil, limit: Int = 100
    ) throws(KithError) -> [Message] {
        try current.search(words, in: conversation, limit: limit)
    }

    /// What a contact and this profile compare: the same on both sides.
    public func safetyNumber(with contact: ContactID) throws(KithError) -> SafetyNumber {
        try messenger.safetyNumber(with: contact)
    }

    /// The whole story of one entry, in plain sentences.
    package func explain(_ seq: UInt64, in conversation: ConversationID) throws(KithError) -> [Sentence] {
        try current.explain(seq, in: conversation)
    }

    // MARK: Relays

    /// The relay at an address, with the key that it must have.
    ///
    /// A relay that this profile uses already is returned as it is known, without asking it. Otherwise the relay is connected to: the
    /// key of one that is met for the first time is remembered, and one that has another key than before is refused.
    ///
    /// - Parameters:
    ///   - address: `HOST:PORT`.
    ///   - pin: the key that the relay must have, if it is known otherwise.
    ///   - pass: the pass that the relay wants, if any.
    ///   - known: where the keys of relays are remembered: for all profiles of this user, if nothing else is given.
    /// - Throws: ``KithError/notAnAddress(_:)``, ``KithError/relayKeyChanged(_:known:found:)``, ``KithError/relay(_:)``,
    ///   ``KithError/file(_:)``.
    public func relay(
        _ address: String, pin: RelayPin? = nil, pass: RelayPass? = nil, known: KnownRelays = KnownRelays()
    ) async throws(KithError) -> RelayPoint {
        guard let place = RelayAddress(address) else { throw .notAnAddress(address) }
        if let used = relays().last(where: { $0.relay.address == place && (pin ?? $0.relay.pin) == $0.relay.pin }) {
            return RelayPoint(address: place, pin: used.relay.pin, pass: pass ?? used.relay.pass)
        }
        let contact = try await known.connect(to: place, pin: pin, pass: pass)
        await contact.connection.close()
        return RelayPoint(address: place, pin: contact.connection.pin, pass: pass)
    }
}
