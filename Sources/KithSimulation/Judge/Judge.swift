import KithCore
import KithWire
import MLS

/// Watches a simulation from above: knows everybody's state and everything that was said, and says what must not be.
final class Judge {
    unowned var world: Simulation!

    /// A text that somebody said.
    struct Said {
        let text: String
        let author: Int
        /// Whether the messenger said that it is stored.
        var isStored = false
        /// The author's number of the conversation that it was said in.
        var conversation: UInt64 = 0
        let expires: Bool
    }

    struct EpochPlace: Hashable {
        let channel: ChannelID
        let epoch: UInt64
    }

    /// What all members of an epoch must agree on.
    struct EpochFacts {
        let authenticator: [UInt8]
        let members: Set<Int>
        let group: Group
    }

    struct GenerationPlace: Hashable {
        let epoch: EpochPlace
        let sender: MessagePlace
    }

    /// Texts by the number in them.
    private(set) var said: [Int: Said] = [:]
    /// The numbers of texts by the id of their message.
    private(set) var numbers: [EntryID: Int] = [:]
    private(set) var epochs: [EpochPlace: EpochFacts] = [:]
    private var generations: [GenerationPlace: [UInt8]] = [:]
    /// What lies in channels that are no conversation's.
    private var parcels: [ChannelID: [(entry: EntryID, payload: [UInt8])]] = [:]
    /// The numbers of the texts that were ever on a client's disk.
    private(set) var seen: [Int: Set<Int>] = [:]
    /// The epochs that a client had the keys of, with the group as it was then.
    private(set) var known: [Int: [EpochPlace: Group]] = [:]
    /// The grants of the tokens that a client could ever make.
    private(set) var grants: [Int: Set<Grant>] = [:]
    /// Whether somebody may have been added who cannot know it, because the invite was over by then.
    var hasGhosts = false
    /// What clients were warned of.
    private(set) var warnings: [(client: Int, conversation: ConversationID, warning: Warning)] = []
    /// The relay states that the messenger, which knows of no connections, told clients.
    private(set) var relayStates: [(client: Int, state: RelayState)] = []
    /// Entries that clients could not read.
    private(set) var unreadable: [(client: Int, reason: UnreadableReason)] = []
    /// Clocks that clients found to differ from theirs.
    private(set) var clocks: [(client: Int, difference: ClockDifference)] = []
    /// The proofs of members in live checks.
    private(set) var presences: [(client: Int, log: LogComparison)] = []
    /// The conversations in which members were told that the relay misbehaves.
    private(set) var suspected: [Int: Set<ConversationID>] = [:]
    /// The entries that members were told of.
    private(set) var told: [Int: Set<EntryID>] = [:]
    /// The lies of the relays, if they tell any.
    var lie: TurnLie?
    /// Pairs of members for whom the lie was judged.
    var liesJudged = 0
    var protocolViolations = 0
    /// Whether the relays tell the truth: then nobody may be warned.
    var relaysAreHonest = true

    // MARK: What is said

    /// A text nobody has said before.
    func newText(by author: Int, words: String, expires: Bool = false) -> (number: Int, text: String) {
        let number = said.count + 1
        let text = Marker.text(number) + words
        said[number] = Said(text: text, author: author, expires: expires)
        return (number, text)
    }

    /// The messenger says that it has stored it.
    func didAccept(_ id: EntryID, in conversation: ConversationID, number: Int) {
        said[number]?.isStored = true
        said[number]?.conversation = conversation.rawValue
        numbers[id] = number
    }

    // MARK: Along the way

    func didStore(_ transaction: StoreTransaction, _ client: SimulatedClient) {
        for write in transaction.writes {
            guard case .put(let key, let bytes) = write else { continue }
            for number in Marker.numbers(in: bytes) { seen[client.index, default: []].insert(number) }
            if key.table == .outbox { learnOwnText(bytes, client) }
            if key.table == .epoch { learnEpoch(of: key.owner, client) }
        }
    }

    /// What was stored and not said to be, because the device died in between, counts as said.
    private func learnOwnText(_ bytes: [UInt8], _ client: SimulatedClient) {
        guard let number = Marker.numbers(in: bytes).first else { return }
        guard let item = try? OutboxItem(stored: bytes), said[number]?.author == client.index else {
            return world.violate("\(client.name) stored a text to be sent that cannot be read or is another's")
        }
        said[number]?.isStored = true
        numbers[item.entryID] = number
    }

    /// Everybody who has an epoch has the same.
    private func learnEpoch(of owner: UInt64, _ client: SimulatedClient) {
        guard let group = try? client.store.storedGroup(owner), let channel = ChannelID(group.groupID) else {
            return world.violate("\(client.name) stored a group that cannot be read")
        }
        guard group.status != .removed else { return }
        let place = EpochPlace(channel: channel, epoch: group.epoch)
        let facts = EpochFacts(
            authenticator: group.epochAuthenticator.copyBytes(), members: members(of: group), group: group)
        if let before = epochs[place] {
            if before.authenticator != facts.authenticator || before.members != facts.members {
                world.violate("\(client.name) has another epoch \(group.epoch) than the others")
            }
        } else {
            epochs[place] = facts
        }
        if !facts.members.contains(client.index) {
            world.violate("\(client.name) has an epoch that it is no member of")
        }
        known[client.index, default: [:]][place] = group
        for role in ["read", "append", "turn"] {
            guard let secret = try? group.export(label: "kith channel", context: Array(role.utf8), length: 32),
                let token = secret.withUnsafeBytes({ Token($0) })
            else { continue }
            grants[client.index, default: []].insert(Grant(for: token))
        }
    }

    private func members(of group: Group) -> Set<Int> {
        Set(group.memberAccounts.compactMap { account in world.clients.first { $0.account == account }?.index })
    }

    /// Nothing is said at a relay about a conversation that waits for its person's consent.
    private func checkConsent(_ request: Request, _ client: SimulatedClient) {
        let channel: ChannelID
        switch request {
        case .create(let id, _, _, _), .present(let id, _, _), .append(let id, _, _, _), .turn(let id, _, _, _, _),
            .whisper(let id, _, _), .close(let id):
            channel = id
        default: return
        }
        guard let messenger = client.messenger, let id = messenger.conversation(on: channel),
            (try? messenger.conversationSummary(id))?.isPending == true
        else { return }
        world.violate("\(client.name) acts in a conversation that its person has not accepted")
    }

    /// A key of the ratchet is used for one message.
    func willSend(_ request: Request, _ client: SimulatedClient) {
        checkConsent(request, client)
        let (channel, epoch, bytes): (ChannelID, UInt64, ArraySlice<UInt8>)
        switch request {
        case .append(let id, let number, let entry, let payload):
            (channel, epoch, bytes) = (id, number, payload)
            noteParcel(id, entry, payload)
        case .turn(let id, let number, _, let payload, _): (channel, epoch, bytes) = (id, number, payload)
        default: return
        }
        let place = EpochPlace(channel: channel, epoch: epoch)
        guard let facts = epochs[place] else { return }
        var payload = Array(bytes)
        if case .turn = request, let reference = try? TurnReference(decoding: payload) {
            guard let commit = reference.commit(from: parcels[reference.channel] ?? []) else {
                return world.violate("\(client.name) refers to a commit that is not there")
            }
            payload = commit
        }
        guard let sender = try? facts.group.place(of: payload) else {
            return world.violate("\(client.name) sends something that no member can read")
        }
        let generation = GenerationPlace(epoch: place, sender: sender)
        if let before = generations[generation], before != payload {
            world.violate("\(client.name) uses generation \(sender.generation) of epoch \(epoch) twice")
        }
        generations[generation] = payload
    }

    /// What is put into channels that are no conversation's.
    private func noteParcel(_ channel: ChannelID, _ entry: EntryID, _ payload: ArraySlice<UInt8>) {
        guard epochs[EpochPlace(channel: channel, epoch: 0)] == nil,
            parcels[channel]?.contains(where: { $0.entry == entry }) != true
        else { return }
        parcels[channel, default: []].append((entry, Array(payload)))
    }

    func didTell(_ event: KithEvent, _ client: SimulatedClient) {
        switch event {
        case .warning(let conversation, let warning, _): didWarn(warning, conversation, client)
        case .clock(let difference): clocks.append((client.index, difference))
        case .relay(_, let state): relayStates.append((client.index, state))
        case .present(_, _, _, let log): presences.append((client.index, log))
        case .conversation(let summary):
            if summary.isSuspect { didSuspect(summary.id, client) }
        case .message(let message):
            told[client.index, default: []].insert(message.id)
            for warning in message.warnings { didWarn(warning, message.conversation, client) }
            if case .notice(.unreadable(let reason, _, _)) = message.body {
                unreadable.append((client.index, reason))
                if relaysAreHonest { world.violate("\(client.name) cannot read an entry: \(reason)") }
            }
        default: break
        }
    }

    /// A member knows that the relay misbehaves in a conversation.
    func didSuspect(_ conversation: ConversationID, _ client: SimulatedClient) {
        suspected[client.index, default: []].insert(conversation)
    }

    private func didWarn(_ warning: Warning, _ conversation: ConversationID, _ client: SimulatedClient) {
        warnings.append((client.index, conversation, warning))
        // One of several messages in flight was refused for the moment: that it has not arrived is the truth, for a while.
        if case .missingBefore = warning, world.counts.refusedAppends > 0 { return }
        // People do use an invite for one person twice.
        if warning == .inviteUsedAgain { return }
        // A relay may ask for patience.
        if case .invitationWaits = warning { return }
        if relaysAreHonest { world.violate("\(client.name) is warned of an honest relay: \(warning)") }
    }

    /// A refused command changes nothing. A clock that was set is noticed with the next input, which may be that command: texts that
    /// expire are hidden, erased or given more time then.
    func check(_ inputs: [MessengerInput], _ output: MessengerOutput, _ client: SimulatedClient) {
        let writes = output.transaction.writes.filter { ![.expiry, .entry].contains($0.table) }
        guard inputs.count == 1, case .command(let command) = inputs[0], !writes.isEmpty else { return }
        for case .finish(command.id, .failure(let error)) in output.effects {
            // Not done yet, and kept.
            if case .keyPackageNotCurrent = error { continue }
            world.violate("\(client.name): a command is refused (\(error)) and something is stored: \(writes)")
        }
    }
}

extension StoreTransaction.Write {
    /// The table that it changes.
    fileprivate var table: StoreTable {
        switch self {
        case .put(let key, _), .delete(let key): key.table
        case .deleteAll(let table, _): table
        }
    }
}

/// Numbers in texts, to be found again wherever the text turns up.
enum Marker {
    private static let word = Array("canary-".utf8)
    private static let digits = 6

    static func text(_ number: Int) -> String {
        let text = String(number)
        return String(decoding: word, as: UTF8.self) + String(repeating: "0", count: max(0, digits - text.count)) + text
            + " "
    }

    static func numbers(in bytes: [UInt8]) -> [Int] {
        guard bytes.count >= word.count + digits else { return [] }
        var found: [Int] = []
        var index = 0
        let end = bytes.count - word.count - digits
        while index <= end {
            if bytes[index] == word[0], bytes[index..<index + word.count].elementsEqual(word) {
                let text = String(decoding: bytes[index + word.count..<index + word.count + digits], as: UTF8.self)
                if let number = Int(text) { found.append(number) }
                index += word.count
            }
            index += 1
        }
        return found
    }
}
