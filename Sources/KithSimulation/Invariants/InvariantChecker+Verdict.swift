import KithCore
import KithWire
import MLS

/// The checks at the end of a simulation, when no more events occur.
extension InvariantChecker {
    func giveVerdict(mayMiss: Bool) {
        // This hides the texts that have expired since the client's last input.
        for client in world.clients { client.machine?.look(at: client.localNow, steady: world.now) }
        for client in world.clients { learnOwnTexts(client) }
        for client in world.clients { checkClient(client, mayMiss: mayMiss) }
        checkSecrecy()
        checkConvergence(mayMiss: mayMiss)
        checkChanges()
        checkLie()
    }

    /// Notes texts that a device has stored but not reported. A device may crash after it has stored a text and before it reports
    /// the text.
    private func learnOwnTexts(_ client: SimulatedClient) {
        guard let machine = client.machine, let summaries = try? machine.conversationSummaries() else { return }
        for summary in summaries {
            for message in (try? machine.history(of: summary.id, before: nil, limit: .max)) ?? []
            where message.author == .me {
                guard case .text(let text) = message.body, let number = Marker.numbers(in: Array(text.utf8)).first
                else { continue }
                didAccept(message.id, in: message.conversation, number: number)
            }
        }
    }

    /// Returns all entries that a channel's relay has ever accepted in the channel.
    private func archive(of channel: ChannelID) -> [Entry] {
        world.relays.lazy.compactMap { $0.model.channels[channel]?.archive }.first ?? []
    }

    // MARK: Each client

    private func checkClient(_ client: SimulatedClient, mayMiss: Bool) {
        guard let machine = client.machine else { return world.reportViolation("\(client.name) does not run") }
        do throws(KithError) {
            var shown: [Int: Message] = [:]
            for summary in try machine.conversationSummaries() {
                guard let snapshot = machine.snapshot(of: summary.id) else { continue }
                let messages = try machine.history(of: summary.id, before: nil, limit: .max)
                checkHistory(messages, snapshot, client, &shown)
                try checkStatus(summary, snapshot, client, mayMiss: mayMiss)
                checkComplete(messages, summary, snapshot, client)
                if !machine.typingMembers(in: summary.id).isEmpty {
                    world.reportViolation("\(client.name) still shows that somebody is typing")
                }
            }
            checkOwn(shown, client, machine)
            if machine.undelivered > 0 {
                world.reportViolation("\(client.name) has Welcomes that were not delivered")
            }
            try checkReopened(client, machine)
        } catch {
            world.reportViolation("\(client.name): what it has cannot be read: \(error)")
        }
    }

    /// Checks that each text is shown once, unchanged, in the order of the channel, and with its author.
    private func checkHistory(
        _ messages: [Message], _ snapshot: ConversationSnapshot, _ client: SimulatedClient,
        _ shown: inout [Int: Message]
    ) {
        let log = archive(of: snapshot.channel)
        var lastSeq: UInt64 = 0
        for message in messages {
            guard case .text(let text) = message.body else { continue }
            guard let number = Marker.numbers(in: Array(text.utf8)).first, let said = said[number],
                said.texts.contains(text)
            else {
                world.reportViolation("\(client.name) shows a text that nobody said")
                continue
            }
            if shown.updateValue(message, forKey: number) != nil {
                world.reportViolation("\(client.name) shows text \(number) twice")
            }
            if author(message.author, client) != said.author {
                world.reportViolation("\(client.name) shows text \(number) as another's")
            }
            guard let seq = message.seq else { continue }
            if seq <= lastSeq { world.reportViolation("\(client.name) shows text \(number) out of order") }
            lastSeq = seq
            if relaysAreHonest, seq > log.count || log[Int(seq) - 1].id != message.id {
                world.reportViolation("\(client.name) shows text \(number) at another place than the relay has it")
            }
        }
    }

    /// The index of the client that a device shows as an author; `nil` if there is none.
    func author(_ author: Message.Author, _ client: SimulatedClient) -> Int? {
        switch author {
        case .me: return client.index
        case .contact(let id, _, _):
            let key = client.machine?.contactList.first { $0.id == id }?.accountKey
            return world.clients.first { $0.account == key }?.index
        case .kith: return nil
        }
    }

    private func checkStatus(
        _ summary: ConversationSummary, _ snapshot: ConversationSnapshot, _ client: SimulatedClient, mayMiss: Bool
    ) throws(KithError) {
        guard relaysAreHonest else { return }
        switch summary.status {
        case .active: if summary.isSuspect { world.reportViolation("\(client.name) suspects an honest relay") }
        case .preparing:
            if !hasGhosts { world.reportViolation("\(client.name) has a conversation that never began") }
        case .removed, .replaced, .left: break
        case .stopped(_, .closed): break
        case .stopped(_, .notReachable) where hasGhosts: break
        // A closed channel answers `gone` only to clients with its last tokens. It answers `denied` to all others.
        case .stopped(_, .denied) where world.relays.contains { $0.model.channels[snapshot.channel]?.isClosed == true }:
            break
        case .stopped(_, .trimmed): if !mayMiss { world.reportViolation("\(client.name) missed what was there") }
        case .stopped(let seq, let reason): world.reportViolation("\(client.name) stopped at \(seq): \(reason)")
        }
    }

    /// Checks that a client with the keys of an epoch also has all texts of that epoch.
    private func checkComplete(
        _ messages: [Message], _ summary: ConversationSummary, _ snapshot: ConversationSnapshot,
        _ client: SimulatedClient
    ) {
        guard relaysAreHonest else { return }
        let has = Set(messages.compactMap { $0.seq == nil ? nil : $0.id })
        let missed = messages.compactMap { message -> ClosedRange<UInt64>? in
            if case .notice(.missed(let first, let last)) = message.body, first <= last { first...last } else { nil }
        }
        var end = UInt64.max
        switch summary.status {
        // The seq of the stop is that of the first entry that the relay still has. Earlier entries that this device has not
        // read are lost.
        case .stopped(_, .trimmed): end = snapshot.lastSeq + 1
        // The conversation may have stopped before the device left it.
        case .left: end = snapshot.lastSeq + 1
        case .stopped(let seq, _): end = seq
        default: break
        }
        for entry in archive(of: snapshot.channel) where entry.kind == .message && entry.seq < end {
            guard let number = numbers[entry.id], let said = said[number], !said.expires,
                known[client.index]?[EpochPlace(channel: snapshot.channel, epoch: entry.epoch)] != nil,
                blocked[client.index]?.contains(said.author) != true, !has.contains(entry.id),
                !missed.contains(where: { $0.contains(entry.seq) })
            else { continue }
            world.reportViolation(
                "\(client.name) does not have text \(number) at seq \(entry.seq) of epoch \(entry.epoch)")
        }
    }

    /// Checks that none of a client's own texts is lost, and that the texts are sent if possible.
    private func checkOwn(_ shown: [Int: Message], _ client: SimulatedClient, _ machine: ProfileMachine) {
        for (number, said) in said where said.author == client.index && said.isStored && !said.expires {
            guard let message = shown[number] else {
                if mayBeDropped(in: ConversationID(rawValue: said.conversation), client, machine) { continue }
                world.reportViolation(
                    "\(client.name) has lost its own text \(number), said in its conversation \(said.conversation)")
                continue
            }
            guard message.seq == nil, let summary = try? machine.conversationSummary(message.conversation),
                let snapshot = machine.snapshot(of: message.conversation)
            else { continue }
            let isStuck =
                summary.status == .active && !summary.isSuspect && summary.memberCount > 1 && !snapshot.needsDecision
                && !snapshot.isLeaving
            if relaysAreHonest, isStuck { world.reportViolation("\(client.name) has not sent its text \(number)") }
        }
    }

    /// Whether a client may have dropped its own texts in a conversation, because it has blocked the other person.
    private func mayBeDropped(
        in conversation: ConversationID, _ client: SimulatedClient, _ machine: ProfileMachine
    ) -> Bool {
        guard let contact = try? machine.conversationSummary(conversation).contact,
            let other = author(.contact(contact, name: "", .unverified), client)
        else { return false }
        return blocked[client.index]?.contains(other) == true
    }

    /// Checks that the state in memory equals the state on the disk.
    private func checkReopened(_ client: SimulatedClient, _ machine: ProfileMachine) throws(KithError) {
        let again = try ProfileMachine(opening: client.store, now: client.localNow, folding: Simulation.folding)
        if try again.conversationSummaries() != machine.conversationSummaries() {
            world.reportViolation("\(client.name) opens its profile and finds other conversations")
        }
        if again.contactList != machine.contactList {
            world.reportViolation("\(client.name) opens its profile and finds other contacts")
        }
        for summary in try machine.conversationSummaries() {
            // The progress of an unsent text belongs to a connection and is not stored.
            let waits = { (messages: [Message]) in messages.filter { $0.seq == nil }.map(\.id) }
            let isThere = { (messages: [Message]) in messages.filter { $0.seq != nil } }
            let (onDisk, inMemory) = (
                try again.history(of: summary.id, before: nil, limit: .max),
                try machine.history(of: summary.id, before: nil, limit: .max)
            )
            if isThere(onDisk) != isThere(inMemory) || waits(onDisk) != waits(inMemory) {
                world.reportViolation("\(client.name) opens its profile and finds another history")
            }
        }
    }

    // MARK: Secrecy

    private func checkSecrecy() {
        var place: [Int: EpochPlace] = [:]
        for relay in world.relays {
            for (channel, state) in relay.model.channels {
                for entry in state.archive {
                    if let number = numbers[entry.id] {
                        place[number] = EpochPlace(channel: channel, epoch: entry.epoch)
                    }
                }
                checkDoors(channel, state)
            }
        }
        for (client, texts) in seen {
            for number in texts where said[number]?.author != client {
                // The epoch of a text is unknown if its author deleted the text before the author's device knew the epoch.
                if place[number] == nil, said[number]?.expires == true { continue }
                guard let place = place[number], let facts = epochs[place] else {
                    world.reportViolation("p\(client) has text \(number), which was not sent")
                    continue
                }
                if !facts.members.contains(client) {
                    world.reportViolation("p\(client) has text \(number), which was not for it")
                }
            }
        }
    }

    /// Checks that a client that is not a member of an epoch has never had the means to enter the epoch or to decrypt messages of
    /// the epoch.
    private func checkDoors(_ channel: ChannelID, _ state: ModelChannel) {
        for (client, grants) in grants {
            let groups = known[client, default: [:]].filter { $0.key.channel == channel }
            guard !groups.isEmpty else { continue }
            for (epoch, access) in state.accesses {
                guard let facts = epochs[EpochPlace(channel: channel, epoch: epoch)], !facts.members.contains(client)
                else { continue }
                if grants.contains(access.read) || grants.contains(access.append) || grants.contains(access.turn) {
                    world.reportViolation("p\(client) could get into epoch \(epoch), which is not for it")
                }
                for entry in state.archive where entry.epoch == epoch {
                    for (_, group) in groups {
                        var group = group
                        if (try? group.process(
                            Array(entry.payload), in: MLSEnvironment(authentication: Everybody(), now: world.now / 1000)
                        )) != nil {
                            world.reportViolation("p\(client) could read seq \(entry.seq), which is not for it")
                        }
                    }
                }
            }
        }
    }

    // MARK: Agreement

    private func checkConvergence(mayMiss: Bool) {
        guard relaysAreHonest else { return }
        for relay in world.relays {
            for (channel, state) in relay.model.channels where !state.isClosed {
                // If the creator of a conversation could add nobody, the channel was abandoned.
                guard let facts = epochs[EpochPlace(channel: channel, epoch: state.epoch)], facts.members.count > 1
                else { continue }
                for member in facts.members {
                    let machine = world.clients[member].machine
                    guard let machine, let id = machine.conversation(on: channel),
                        let snapshot = machine.snapshot(of: id)
                    else {
                        if !mayMiss, !hasGhosts {
                            world.reportViolation(
                                "p\(member) was added to \(facts.members.sorted()) and never joined; the log begins at \(state.archive.first.map { $0.receivedAtMs - Simulation.beginningMs } ?? 0) ms"
                            )
                        }
                        continue
                    }
                    guard let summary = try? machine.conversationSummary(id), summary.status == .active else {
                        continue
                    }
                    if snapshot.epoch != state.epoch || snapshot.lastSeq != state.lastSeq {
                        world.reportViolation(
                            "p\(member) is at seq \(snapshot.lastSeq) of epoch \(snapshot.epoch), the log at \(state.lastSeq) of \(state.epoch)"
                        )
                    }
                }
            }
        }
    }
}

/// Accepts every credential. An attacker's copy of a group uses this service.
private struct Everybody: AuthenticationService {
    func isValid(_ credential: Credential, signatureKey: SignaturePublicKey, as role: CredentialRole) -> Bool { true }
    func isValidSuccessor(_ new: Credential, of old: Credential) -> Bool { true }
    func clientIdentity(_ credential: Credential) -> [UInt8]? { nil }
}

extension MemoryProfileStore {
    /// Returns a conversation's group from the store.
    func storedGroup(_ owner: UInt64) throws -> Group? {
        guard let state = try value(StoreKey(.epoch, owner: owner, item: 0)) else { return nil }
        let rows = try values(.record, owner: owner, items: 0...StoreKey.highest, limit: .max, newestFirst: false)
        let records = rows.compactMap { row in
            GroupRecordKey(rawValue: row.item).map { GroupRecord(key: $0, content: SecretBytes(row.bytes)) }
        }
        return try Group(restoring: SecretBytes(state), records: records)
    }
}
