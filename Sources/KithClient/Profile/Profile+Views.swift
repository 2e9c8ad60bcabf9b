import KithCore
import KithWire

extension Profile {
    /// The machine at the current time. Its views show no text that has expired by now.
    var current: ProfileMachine {
        machine.look(at: Self.now, steady: SteadyClock.nowMs)
        return machine
    }

    /// The profile's names and key.
    public func identity() -> ProfileIdentity { machine.identity }

    /// All conversations, the most recently active first.
    public func conversations() throws(KithError) -> [ConversationSummary] { try machine.conversationSummaries() }

    /// One conversation.
    public func conversation(_ id: ConversationID) throws(KithError) -> ConversationSummary {
        try machine.conversationSummary(id)
    }

    /// All contacts, sorted by name.
    public func contacts() -> [Contact] { machine.contactList }

    /// The members of a conversation.
    public func members(of conversation: ConversationID) throws(KithError) -> [Member] {
        try machine.members(of: conversation)
    }

    /// The open invites.
    public func openInvites() -> [OpenInvite] { current.openInvites }

    /// The relays of this profile, each with the number of its conversations and inboxes.
    public func relays() -> [RelayUse] { machine.relayUse }

    /// The number of texts that are not sent yet.
    public func queuedMessages() -> Int { machine.queuedCount }

    /// The number of invitations to conversations and groups that have not reached the recipients' inboxes yet.
    public func waitingInvitations() -> Int { machine.waitingInvitations }

    /// The number of values that have been found damaged so far. Damaged values are left out or shown as unreadable.
    public func damage() -> DamageCount {
        DamageCount(entries: machine.damagedEntries.count, otherValues: machine.damagedValues)
    }

    /// Messages of a conversation, the oldest first. Unsent messages come last.
    ///
    /// - Parameters:
    ///   - conversation: the conversation.
    ///   - seq: the returned messages come before this seq; `nil` for the end of the conversation, including unsent messages.
    ///   - limit: the maximum number of messages.
    public func history(
        of conversation: ConversationID, before seq: UInt64? = nil, limit: Int = 100
    ) throws(KithError) -> [Message] {
        try current.history(of: conversation, before: seq, limit: limit)
    }

    /// Messages of a conversation after a seq, the oldest first.
    public func messages(
        in conversation: ConversationID, after seq: UInt64, limit: Int = 1_000
    ) throws(KithError) -> [Message] {
        try current.messages(in: conversation, after: seq, limit: limit)
    }

    /// The message at a seq; `nil` if no message is shown there.
    package func message(_ seq: UInt64, in conversation: ConversationID) throws(KithError) -> Message? {
        guard seq > 0 else { return nil }
        let next = try messages(in: conversation, after: seq - 1, limit: 1).first
        return next?.seq == seq ? next : nil
    }

    /// The pinned messages, in the order of the pins. A message that has expired or was deleted on this device is left
    /// out.
    package func pinnedMessages(in conversation: ConversationID) throws(KithError) -> [Message] {
        var pinned: [Message] = []
        for seq in try self.conversation(conversation).pinned {
            if let message = try message(seq, in: conversation) { pinned.append(message) }
        }
        return pinned
    }

    /// Texts that contain all the words, the newest first. Upper and lower case are not distinguished.
    public func search(
        _ words: String, in conversation: ConversationID? = nil, limit: Int = 100
    ) throws(KithError) -> [Message] {
        let words = words.split(whereSeparator: \.isWhitespace).map(String.init)
        return try current.search(MessageSearch(words, in: conversation), limit: limit)
    }

    /// Messages that meet the conditions of a search, the newest first.
    package func search(_ search: MessageSearch, limit: Int) throws(KithError) -> [Message] {
        try current.search(search, limit: limit)
    }

    /// The number that the user and a contact compare to verify each other's keys. Both people see the same number.
    public func safetyNumber(with contact: ContactID) throws(KithError) -> SafetyNumber {
        try machine.safetyNumber(with: contact)
    }

    /// Explains one entry in plain sentences.
    package func explain(_ seq: UInt64, in conversation: ConversationID) throws(KithError) -> [Sentence] {
        try current.explain(seq, in: conversation)
    }

    // MARK: Relays

    /// Returns the relay at an address, with the key that the relay must have.
    ///
    /// If this profile already uses the relay, returns the relay without connecting to it. If the profile does not use the
    /// relay, connects to the relay. Without `pin`, stores the key of a new relay in the file of known relays, and refuses a
    /// relay whose key has changed.
    ///
    /// - Parameters:
    ///   - address: `HOST:PORT`.
    ///   - pin: the key that the relay must have; `nil` to accept any key of a new relay. With a pin, `known` is neither read nor
    ///     changed.
    ///   - pass: the pass, if the relay requires one.
    ///   - known: the file of known relays; by default, the file that all profiles of this user share.
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
