import KithWire
import MLS

/// The conversations of a profile. The table can find them by several properties.
struct ConversationTable {
    /// A reference to one machine, so that a loop over all conversations copies no machine. Only this class changes the machine.
    final class Place {
        private(set) var machine: ConversationMachine

        fileprivate init(_ machine: ConversationMachine) { self.machine = machine }

        func handle(_ input: ConversationInput, in device: inout DeviceState) throws(KithError) {
            try machine.handle(input, in: &device)
        }

        /// Sets the conversation's group, which this device has joined; see ``ConversationMachine/join(_:by:isBack:_:in:)``.
        func join(
            _ group: Group, by message: InboxMessage, isBack: Bool, _ people: MetMembers,
            in device: inout DeviceState
        ) throws(KithError) -> Warning? {
            try machine.join(group, by: message, isBack: isBack, people, in: &device)
        }

        /// Returns the group. On first use, reads it from the store.
        func group(in device: inout DeviceState) throws(KithError) -> Group {
            try machine.group(in: &device).group
        }

        /// Whether an inviter may add this device to the conversation again; see ``JoinPolicy``.
        func mayBeBroughtBack(
            by inviter: AccountKey?, into group: Group, in device: inout DeviceState
        ) throws(KithError) -> Bool {
            try machine.mayBeBroughtBack(by: inviter, into: group, in: &device)
        }

        /// Adds an item from the store to the outbox.
        func load(_ number: UInt64, _ item: OutboxItem) { machine.load(number, item) }

        /// Frees the group, and everything else that can be read from the store again.
        func unload() { machine.unload() }

        fileprivate func store(in step: inout Step) { machine.store(in: &step) }
    }

    private var places: [ConversationID: Place] = [:]
    private var idsByChannel: [ChannelID: ConversationID] = [:]

    // MARK: Reading

    var ids: [ConversationID] { places.keys.sorted() }

    /// All conversations, in no particular order.
    var all: some Collection<Place> { places.values }

    subscript(_ id: ConversationID) -> Place? { places[id] }

    func relay(of id: ConversationID) -> RelayID? { places[id]?.machine.record.relay }

    /// - Throws: ``KithError/notFound(_:)``.
    func conversation(_ id: ConversationID) throws(KithError) -> Place {
        guard let place = places[id] else { throw .notFound("conversation") }
        return place
    }

    /// Returns a conversation that this device can use.
    ///
    /// - Throws: ``KithError/notFound(_:)`` or ``KithError/conversation(_:)``.
    func active(_ id: ConversationID) throws(KithError) -> Place {
        let place = try conversation(id)
        guard place.machine.record.status == .active else { throw .conversation(place.machine.record.status) }
        return place
    }

    func id(on channel: ChannelID) -> ConversationID? { idsByChannel[channel] }

    /// Returns the conversations of two with a contact, the oldest first.
    func with(_ contact: ContactID) -> [Place] {
        places.values.filter { $0.machine.record.contact == contact }.sorted { $0.machine.id < $1.machine.id }
    }

    /// Returns the newest active conversation of two with an account at a relay. If the account's owner has a new device, the
    /// device is added to this conversation. Conversations at other relays do not count, because a conversation cannot move to
    /// another relay. A conversation that the account's owner has left does not count either, because leaving is final.
    func active(with account: AccountFingerprint, at relay: RelayID, _ contacts: ContactBook) -> Place? {
        places.values.filter { place in
            let (machine, record) = (place.machine, place.machine.record)
            return record.isDirect && record.status == .active && !machine.isLeaving && !machine.isLeftAlone
                && record.relay == relay
                && record.contact.flatMap { contacts[$0] }?.accountKey.fingerprint == account
        }.max { $0.machine.id < $1.machine.id }
    }

    /// Returns the intent that adds the owner of an inbox.
    func intent(adding inbox: ChannelID) -> IntentPlace? {
        for id in ids {
            guard let record = places[id]?.machine.record, record.status.isOpen else { continue }
            for intent in record.intents {
                if case .add(let targets) = intent.change, targets.contains(where: { $0.inbox.channel == inbox }) {
                    return IntentPlace(conversation: id, intent: intent.id)
                }
            }
        }
        return nil
    }

    /// The number of conversations that wait for the user's consent.
    var pendingCount: Int { places.values.count { $0.machine.isPending } }

    // MARK: Changes

    /// Adds a conversation that is new or was read from the store.
    @discardableResult
    mutating func add(_ machine: ConversationMachine) -> Place {
        let place = Place(machine)
        places[machine.id] = place
        idsByChannel[machine.record.channel] = machine.id
        return place
    }

    mutating func make(_ record: ConversationRecord, in step: inout Step) -> Place {
        let place = add(ConversationMachine(id: step.numbers.nextConversation(), record: record))
        step.markDirty(place.machine.id)
        return place
    }

    mutating func removeIfDiscarded(_ id: ConversationID) {
        guard let machine = places[id]?.machine, machine.isDiscarded else { return }
        places[id] = nil
        idsByChannel[machine.record.channel] = nil
    }

    /// Adds the changed conversations to the step's transaction.
    func storeDirty(in step: inout Step) {
        for id in step.takeDirty() { places[id]?.store(in: &step) }
    }

    /// Removes groups from memory: those of pending conversations, and the least recently used ones beyond
    /// ``ClientLimits/loadedGroups``.
    ///
    /// - Parameter dirty: the conversations whose groups stay in memory, because their changes are not in the step's transaction
    ///   yet.
    func unloadIdleGroups(except dirty: Set<ConversationID>) {
        let loaded = places.values.filter { $0.machine.keptGroup.isLoaded && !dirty.contains($0.machine.id) }
        var surplus = loaded.count - ClientLimits.loadedGroups
        guard surplus > 0 || loaded.contains(where: { !$0.machine.mayAct }) else { return }
        for place in loaded.sorted(by: { $0.machine.keptGroup.lastUse < $1.machine.keptGroup.lastUse })
        where surplus > 0 || !place.machine.mayAct {
            place.unload()
            surplus -= 1
        }
    }

    /// The number of groups in memory.
    var loadedGroups: Int { places.values.count { $0.machine.keptGroup.isLoaded } }
}
