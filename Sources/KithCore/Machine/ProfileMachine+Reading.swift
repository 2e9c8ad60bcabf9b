import KithWire
import MLS

// Functions that read the state and do not change the profile.

extension ProfileMachine {
    package var identity: ProfileIdentity {
        let identity = state.device.identity
        return ProfileIdentity(
            name: identity.name, deviceName: identity.deviceName, accountKey: identity.account.publicKey)
    }

    /// Sets the current time. The caller must set the time before it reads messages, so that expired texts are hidden.
    package func look(at wall: UInt64, steady: UInt64) { state.device.advance(wall: wall, steady: steady) }

    /// The damaged entries that were found so far.
    package var damagedEntries: Set<EntryPlace> { state.device.damage.entries }

    /// The number of damaged values, other than entries, that were left out when the profile was opened.
    package var damagedValues: Int { state.device.damage.values }

    /// The differences of at least ``ClientLimits/clockTellMs`` between this device's clock and the clocks of connected relays.
    /// Each new subscriber to events gets the differences.
    package var relayClockDifferences: [ClockDifference] { state.device.clockDifferences }

    // MARK: Conversations

    package func conversationSummaries() throws(KithError) -> [ConversationSummary] {
        var summaries: [ConversationSummary] = []
        for place in state.conversations.all {
            summaries.append(try ConversationSummary(place.machine, in: state.device))
        }
        return summaries.sorted { ($0.lastActivityMs, $0.id) > ($1.lastActivityMs, $1.id) }
    }

    package func conversationSummary(_ id: ConversationID) throws(KithError) -> ConversationSummary {
        try ConversationSummary(try state.conversations.conversation(id).machine, in: state.device)
    }

    /// The summary of a conversation; `nil` if there is no such conversation.
    package func summary(of id: ConversationID) throws(KithError) -> ConversationSummary? {
        try state.conversations[id].map { (place) throws(KithError) in
            try ConversationSummary(place.machine, in: state.device)
        }
    }

    /// Returns the members who are typing in a conversation, in the order in which they began.
    package func typingMembers(in id: ConversationID) -> [TypingMember] {
        state.conversations[id]?.machine.typingMembers(in: state.device.contacts) ?? []
    }

    /// All conversations, the most recently active last, each with the seq after its last read entry.
    package var unreadPlaces: [(conversation: ConversationID, from: UInt64)] {
        state.conversations.all.map(\.machine)
            .sorted { ($0.record.lastActivityMs, $0.id) < ($1.record.lastActivityMs, $1.id) }
            .map { ($0.id, $0.record.readSeq.plus(1)) }
    }

    package func members(of id: ConversationID) throws(KithError) -> [Member] {
        let place = try state.conversations.conversation(id)
        // A backup does not contain the members.
        guard try place.machine.keptGroup.isKnown(in: state.device.store) else { return [] }
        let group = try place.group(in: &state.device)
        let device = state.device
        return group.members.compactMap { _, leaf in
            guard let certificate = leaf.credential.deviceCertificate else { return nil }
            if certificate.accountKey == device.account {
                return Member(
                    isMe: true, contact: nil, name: device.identity.name, trust: .compared,
                    deviceName: certificate.deviceName, deviceID: certificate.deviceID)
            }
            let contact = device.contacts[certificate.accountKey]
            // If a contact has replaced this key by another, the member is shown without a contact.
            return Member(
                isMe: false, contact: contact?.id, name: contact?.name ?? "\(certificate.name) (old key)",
                trust: contact?.trust ?? .unverified, deviceName: certificate.deviceName, deviceID: certificate.deviceID
            )
        }
    }

    /// The conversations that strangers began and the user has not accepted.
    package var pendingConversations: [ConversationID] {
        state.conversations.all.filter(\.machine.isPending).map(\.machine.id).sorted()
    }

    // MARK: Contacts, invites, relays

    package var contactList: [Contact] { state.device.contacts.sorted }

    package func safetyNumber(with id: ContactID) throws(KithError) -> SafetyNumber {
        SafetyNumber(state.device.account, try state.device.contacts.contact(id).accountKey)
    }

    package var openInvites: [OpenInvite] {
        inboxes.ids.compactMap { inboxes[$0]?.machine.openInvite(in: state.device) }
    }

    /// Returns a relay in the form that users see. If the relay is known only from contacts' cards, it is shown with the first of
    /// these contacts.
    package func knownRelay(_ id: RelayID) -> KnownRelay? {
        guard let point = state.device.relays[id] else { return nil }
        let isOwn = inboxes.all.contains { place in
            if case .contact = place.machine.record.purpose { return false }
            return place.machine.record.relay == id
        }
        let naming = state.device.contacts.all.filter { contact in
            contact.inbox.map { $0.relay.address == point.address && $0.relay.pin == point.pin } ?? false
        }.min { $0.id < $1.id }
        return KnownRelay(address: point.address, pin: point.pin, namedBy: isOwn ? nil : naming?.name)
    }

    /// The relays that this profile, a contact or a waiting command uses.
    ///
    /// Other known relays are left over from failed commands.
    package var relayUse: [RelayUse] {
        let relays = state.device.relays
        let named = state.device.contacts.all.compactMap { $0.inbox.flatMap { relays.known($0.relay) } }
        let used = Set(relaysInUse + named + state.device.nameRequests.relays)
        return relays.sorted.compactMap { id, point in
            let conversations = state.conversations.all.count { $0.machine.record.relay == id }
            guard conversations > 0 || used.contains(id) else { return nil }
            return RelayUse(relay: point, conversations: conversations, inboxes: inboxes.ids(at: id).count)
        }
    }

    /// Relays at which this profile has a followed conversation, an inbox, a delivery, or a person to add.
    var relaysInUse: [RelayID] {
        let (relays, conversations) = (state.device.relays, state.conversations)
        let followed = conversations.all.filter { $0.machine.record.status.isOpen && $0.machine.mayAct }
        let ids =
            followed.map(\.machine.record.relay) + inboxes.all.map(\.machine.record.relay)
            + state.device.deliveries.all.map(\.relay)
            + conversations.all.flatMap { $0.machine.addTargets.compactMap { relays.known($0.inbox.relay) } }
        return Set(ids).sorted()
    }

    package func cursorNames() throws(KithError) -> [String] {
        try withCursors { (cursors, _) throws(KithError) in cursors.names.values.map(\.text).sorted() }
    }

    // MARK: Backup

    /// Maximum number of entries that one read of the store returns.
    private static let backupPage = 1_000

    /// Passes the records of a backup to `body`, one at a time. Each record comes after the records to which it refers.
    package func eachBackupRecord(_ body: ([UInt8]) throws(KithError) -> Void) throws(KithError) {
        try eachRecord { (record) throws(KithError) in try body(record.encoded) }
    }

    func eachRecord(_ body: (BackupRecord) throws(KithError) -> Void) throws(KithError) {
        let device = state.device
        try body(.identity(account: device.identity.account, name: device.identity.name))
        for (id, point) in device.relays.sorted { try body(.relay(id, point)) }
        for contact in contactList { try body(.contact(contact)) }
        for id in state.conversations.ids {
            guard let record = state.conversations[id]?.machine.record else { continue }
            try body(.conversation(id, record))
            var first: UInt64 = 0
            while true {
                let rows = try state.device.entries(
                    of: id, first...StoreKey.highest, limit: Self.backupPage, newestFirst: false)
                for (seq, record) in rows {
                    guard let record else { continue }
                    let place = EntryPlace(conversation: id, seq: seq)
                    try body(.entry(place, record.encoded))
                    if !record.marks.isEmpty { try body(.marks(place, record.marks)) }
                }
                guard rows.count == Self.backupPage, let last = rows.last?.seq, last < StoreKey.highest else { break }
                first = last + 1
            }
        }
        for (place, expiry) in device.erasures.sorted where !expiry.isOver(wall: device.wall) {
            try body(.expiry(place, expiry))
        }
        try withCursors { (cursors, profile) throws(KithError) in
            try cursors.eachRecord(in: profile.device.store, body)
        }
    }

    // MARK: For tests and simulations

    /// Returns the state of a conversation; `nil` if there is no such conversation.
    package func snapshot(of id: ConversationID) -> ConversationSnapshot? {
        guard let machine = state.conversations[id]?.machine else { return nil }
        return ConversationSnapshot(
            channel: machine.record.channel, epoch: machine.record.epoch, lastSeq: machine.record.lastSeq,
            needsDecision: machine.needsDecision(state.device.contacts), isLeaving: machine.isLeaving)
    }

    package func conversation(on channel: ChannelID) -> ConversationID? { state.conversations.id(on: channel) }

    /// The number of groups in memory.
    package var loadedGroups: Int { state.conversations.loadedGroups }

    /// The number of unfinished deliveries to other people's channels.
    package var undelivered: Int { state.device.deliveries.count }

    /// The number of unfinished invitations. An invitation waits for a key package, for the commit that adds the person, or for
    /// delivery to the person's inbox.
    package var waitingInvitations: Int {
        let wanted = state.conversations.all.map(\.machine).filter { $0.record.status.isOpen }.flatMap { machine in
            machine.record.intents.compactMap { intent -> IntentPlace? in
                guard case .add = intent.change else { return nil }
                return IntentPlace(conversation: machine.id, intent: intent.id)
            }
        }
        let underWay = state.device.deliveries.all.map { IntentPlace(conversation: $0.conversation, intent: $0.intent) }
        return Set(wanted + underWay).count
    }

    /// Returns the place of the newest group; `nil` if there is no group.
    package func latestGroup() throws(KithError) -> GroupPlace? {
        let groups = state.conversations.all.filter { !$0.machine.record.isDirect }
        guard let place = groups.max(by: { $0.machine.id < $1.machine.id }),
            let relay = state.device.relays[place.machine.record.relay]
        else { return nil }
        let record = place.machine.record
        _ = try place.group(in: &state.device)
        guard let tokens = place.machine.keptGroup.tokens(of: record.epoch) else { return nil }
        return GroupPlace(
            relay: relay, channel: record.channel, epoch: record.epoch, tokens: tokens.all, lastSeq: record.lastSeq)
    }
}
