import KithCore
import KithWire

/// The operations of the people in a simulation, one after another. The seed chooses the time, the person and the operation. Many
/// operations make no sense, are refused or fail.
final class Workload {
    unowned let world: Simulation
    private var operationsLeft: Int
    private let mostGroups: Int
    private(set) var groups = 0
    /// All invites, each with the client that created it.
    var invites: [(owner: Int, invite: OpenInvite)] = []
    /// The single-use invites that a client has tried to use.
    private var used: Set<ChannelID> = []
    private var names: [(name: Name, relay: Int)] = []
    var isDone: Bool { operationsLeft == 0 }

    init(_ world: Simulation, operations: Int, mostGroups: Int) {
        self.world = world
        operationsLeft = operations
        self.mostGroups = mostGroups
    }

    // MARK: Time

    /// Performs one operation, and then schedules the next operation.
    func act() {
        guard operationsLeft > 0 else { return }
        operationsLeft -= 1
        world.counts.operations += 1
        for relay in world.relays { relay.model.expire(nowMs: world.now) }
        doSomething()
        if operationsLeft > 0 { world.schedule(.operation, after: pause()) }
    }

    /// Returns the pause before the next operation. Most pauses are short, so operations overlap. Some pauses are days long.
    private func pause() -> UInt64 {
        switch world.random.pick(0...99) {
        case 0...54: UInt64(world.random.pick(0...300))
        case 55...84: UInt64(world.random.pick(0...20_000))
        case 85...95: UInt64(world.random.pick(0...6 * 3_600_000))
        default: UInt64(world.random.pick(0...3 * 86_400_000))
        }
    }

    // MARK: Choosing

    private func somebody() -> SimulatedClient? { world.random.pick(world.clients.filter(\.isRunning)) }

    /// Returns an active conversation of a client.
    func conversation(of client: SimulatedClient, groupsOnly: Bool = false) -> ConversationSummary? {
        guard let summaries = try? client.machine?.conversationSummaries() else { return nil }
        return world.random.pick(summaries.filter { $0.status == .active && (!groupsOnly || $0.contact == nil) })
    }

    private func contacts(of client: SimulatedClient) -> [Contact] {
        (client.machine?.contactList ?? []).filter { $0.inbox != nil }
    }

    // MARK: Operations

    private func doSomething() {
        guard let client = somebody() else { return }
        world.trace.note(world.now, "operation by \(client.index)")
        if world.profile.changesMessages, world.random.chance(0.5) { return changeMessage(client) }
        switch world.random.pick(0...122) {
        case 0...6: invite(client)
        case 7...14: join(client)
        case 15...54: say(client)
        case 55...60: makeGroup(client)
        case 61...65: add(client)
        case 66...69: remove(client)
        case 70...71: leave(client)
        case 72...74: rename(client)
        case 75...77: renew(client)
        case 78...83: read(client)
        case 84...85: check(client)
        case 86...88: register(client)
        case 89...91: lookUp(client)
        case 92...93: meet(client)
        case 94...98: changeAtOnce(client)
        case 99: revoke(client)
        case 100...104: goAway(client)
        case 105...107: if world.faults.crash > 0 { client.die("by chance") }
        case 108...109: if world.faults.crash > 0 { crashRelay() }
        case 110...112: moveClock(client)
        case 113...116:
            if world.faults.disconnect > 0 { for link in client.allLinks { link.connection.map(world.cut) } }
        case 117...118: block(client)
        case 119: client.perform(.renameUser("\(client.name) \(world.random.pick(0...9))"))
        default: decide(client)
        }
    }

    func invite(_ client: SimulatedClient, isReusable: Bool? = nil) {
        let relay = world.relays[world.random.pick(0...world.relays.count - 1)]
        let reusable = isReusable ?? world.random.chance(0.3)
        let lifetime = UInt64(world.random.pick(1...14)) * 86_400
        client.perform(
            .createInvite(relay: relay.point, isReusable: reusable, expiresAt: client.localNow / 1000 + lifetime)
        ) { [unowned self] result in
            if case .success(let open) = result { invites.append((client.index, open)) }
        }
    }

    func join(_ client: SimulatedClient, _ given: OpenInvite? = nil) {
        let others = invites.filter { $0.owner != client.index || world.random.chance(0.05) }
        guard let invite = given ?? world.random.pick(others)?.invite else { return }
        noteWhetherItMayBeOver(invite)
        client.perform(.join(invite.invite, name: nil)) { [unowned self] in didAdd($0, client) }
    }

    /// Notes whether the invite that a person uses may have ended. An invite ends when it is used or revoked, or when it expires
    /// by its creator's clock. An ended invite still works until the relay closes the invite's inbox. The creator does not read
    /// letters that arrive after the end.
    private func noteWhetherItMayBeOver(_ open: OpenInvite) {
        let isUsed = !open.isReusable && !used.insert(open.invite.inbox.channel).inserted
        let owner = invites.first { $0.invite.invite == open.invite }.map { world.clients[$0.owner] }
        let isOpen = owner?.machine?.openInvites.contains { $0.invite == open.invite } ?? false
        if isUsed || !isOpen { world.checker.hasGhosts = true }
    }

    /// Notes a failed addition. If the invite had ended, the new member might never learn about the group.
    private func didAdd(_ result: Result<ConversationID, KithError>, _ client: SimulatedClient) {
        if case .failure = result { world.checker.hasGhosts = true }
    }

    private func say(_ client: SimulatedClient) {
        guard let conversation = conversation(of: client) else { return }
        for _ in 0..<(world.random.chance(0.2) ? world.random.pick(2...24) : 1) { say(client, conversation.id) }
    }

    func say(_ client: SimulatedClient, _ conversation: ConversationID) {
        let length = world.random.chance(0.1) ? world.random.pick(0...5_000) : world.random.pick(0...60)
        let expires = world.random.chance(0.05)
        let (number, text) = world.checker.newText(
            by: client.index, words: String(repeating: "a", count: length), expires: expires)
        client.perform(
            .send(
                conversation, text: text, replyTo: nil, expiresAfter: expires ? UInt32(world.random.pick(1...600)) : nil
            )
        ) { [unowned self] result in
            if case .success(let id) = result { world.checker.didAccept(id, in: conversation, number: number) }
        }
    }

    private func makeGroup(_ client: SimulatedClient) {
        let contacts = contacts(of: client)
        guard groups < mostGroups, !contacts.isEmpty else { return say(client) }
        groups += 1
        let count = world.random.pick(1...contacts.count)
        let members = contacts.shuffled(using: &world.random).prefix(count).map(\.id)
        let relay = world.relays[world.random.pick(0...world.relays.count - 1)]
        client.perform(.createGroup(title: "group \(groups)", relay.point, members)) { [unowned self] in
            didAdd($0, client)
        }
    }

    private func add(_ client: SimulatedClient) {
        guard let group = conversation(of: client, groupsOnly: true),
            let contact = world.random.pick(contacts(of: client))
        else { return say(client) }
        client.perform(.add(group.id, [contact.id], again: true)) { [unowned self] in didAdd($0, client) }
    }

    private func remove(_ client: SimulatedClient) {
        guard let group = conversation(of: client, groupsOnly: true),
            let members = try? client.machine?.members(of: group.id),
            let member = world.random.pick(members.compactMap(\.contact))
        else { return say(client) }
        client.perform(.remove(group.id, member))
    }

    private func leave(_ client: SimulatedClient) {
        guard let group = conversation(of: client, groupsOnly: world.random.chance(0.8)) else { return }
        client.perform(.leave(group.id))
    }

    private func rename(_ client: SimulatedClient) {
        guard let group = conversation(of: client, groupsOnly: true) else { return say(client) }
        client.perform(.rename(group.id, "renamed \(world.random.pick(0...999))"))
    }

    private func renew(_ client: SimulatedClient) {
        guard let conversation = conversation(of: client) else { return }
        client.perform(.renewKeys(conversation.id))
    }

    private func read(_ client: SimulatedClient) {
        guard let conversation = conversation(of: client) else { return }
        client.perform(
            .markRead(conversation.id, through: conversation.lastSeq, sendsReceipt: world.random.chance(0.7)))
    }

    private func check(_ client: SimulatedClient) {
        guard let conversation = conversation(of: client) else { return }
        client.perform(.liveCheck(conversation.id))
        client.perform(.tellTyping(in: conversation.id))
    }

    private func register(_ client: SimulatedClient) {
        let relay = world.random.pick(0...world.relays.count - 1)
        guard let name = Name(world.random.chance(0.8) ? client.name : "popular") else { return }
        client.perform(.register(name, world.relays[relay].point)) { [unowned self] result in
            if case .success = result { names.append((name, relay)) }
        }
    }

    private func lookUp(_ client: SimulatedClient) {
        // A person fetches the tree for an invitation to a registered name only from the relay with that name. If the tree may
        // be in a parcel at another relay, the invitation could be dropped.
        let mayBeFar = world.relays.count > 1 && world.sizes.welcome < ClientLimits.welcome
        guard !mayBeFar, let found = world.random.pick(names) else { return register(client) }
        client.perform(.lookUp(found.name, world.relays[found.relay].point, as: nil)) { [unowned self] result in
            guard case .success(let contact) = result else { return }
            client.perform(.startConversation(contact, waits: true)) { [unowned self] in didAdd($0, client) }
        }
    }

    private func meet(_ client: SimulatedClient) {
        guard let contact = world.random.pick(client.machine?.contactList ?? []) else { return }
        client.perform(.startConversation(contact.id, waits: true)) { [unowned self] in didAdd($0, client) }
    }

    /// Makes several members change a group at the same moment.
    private func changeAtOnce(_ client: SimulatedClient) {
        guard let group = conversation(of: client, groupsOnly: world.random.chance(0.7)),
            let channel = client.machine?.snapshot(of: group.id)?.channel
        else { return say(client) }
        for other in world.clients {
            guard let id = other.machine?.conversation(on: channel), world.random.chance(0.7) else { continue }
            if world.random.chance(0.3) { say(other, id) }
            switch world.random.pick(0...3) {
            case 0...1: other.perform(.renewKeys(id))
            case 2:
                if let contact = world.random.pick(contacts(of: other)), group.contact == nil {
                    other.perform(.add(id, [contact.id], again: true)) { [unowned self] in didAdd($0, other) }
                }
            default: say(other, id)
            }
        }
    }

    private func revoke(_ client: SimulatedClient) {
        guard let open = world.random.pick(client.machine?.openInvites ?? []) else { return }
        // A person may be using the invite at this moment.
        world.checker.hasGhosts = true
        client.perform(.revokeInvite(open.id))
    }

    private func decide(_ client: SimulatedClient) {
        // Some users continue although the relay may show different logs.
        let suspects = ((try? client.machine?.conversationSummaries()) ?? []).filter(\.isSuspect)
        if let suspect = suspects.first {
            world.checker.didSuspect(suspect.id, client)
            return client.perform(.trustLog(suspect.id))
        }
        guard let contact = world.random.pick(client.machine?.contactList ?? []) else { return }
        client.perform(.setVerified(contact.id, world.random.chance(0.5)))
    }

    /// Blocks a contact, or unblocks one.
    private func block(_ client: SimulatedClient) {
        guard let contact = world.random.pick(client.machine?.contactList ?? []) else { return }
        if !contact.isBlocked { world.checker.didBlock(contact, client) }
        client.perform(.setBlocked(contact.id, !contact.isBlocked))
    }

    // MARK: Accidents

    private func goAway(_ client: SimulatedClient) {
        guard client.isOnline else { return }
        world.goOffline(client)
        let long = world.random.chance(0.3) ? 4 * 86_400_000 : 600_000
        world.schedule(.online(client: client.index), after: UInt64(world.random.pick(100...long)))
    }

    private func crashRelay() {
        let index = world.random.pick(0...world.relays.count - 1)
        world.crashRelay(index, forMs: UInt64(world.random.pick(1...120_000)))
    }

    /// Sets a device's clock right, wrong by a little, or wrong by years.
    private func moveClock(_ client: SimulatedClient) {
        client.moveClock(by: world.anyClockOffset() - client.clockOffset)
    }
}
