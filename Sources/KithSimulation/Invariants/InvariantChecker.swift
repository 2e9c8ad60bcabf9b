import KithCore
import KithWire
import MLS

/// Checks the invariants of a simulation. The checker knows the state of every client and every text, and reports violations.
final class InvariantChecker {
    unowned var world: Simulation!

    /// A text that a person sent.
    struct Said {
        /// The original text, and each text by which the author has tried to replace the original.
        var texts: Set<String>
        let author: Int
        /// Whether the author's device has reported the text as stored.
        var isStored = false
        /// The number that the author's device gave the conversation.
        var conversation: UInt64 = 0
        /// Whether the text need not be on devices any more, because it expires, or because its author has tried to delete it.
        var expires: Bool
    }

    struct EpochPlace: Hashable {
        let channel: ChannelID
        let epoch: UInt64
    }

    /// Facts about an epoch. All members of the epoch must agree on these facts.
    struct EpochFacts {
        let authenticator: [UInt8]
        let members: Set<Int>
        let group: Group
    }

    struct GenerationPlace: Hashable {
        let epoch: EpochPlace
        let sender: MessagePlace
    }

    /// All texts. Each text contains a number, which is its key in this dictionary.
    private(set) var said: [Int: Said] = [:]
    /// The number in each text, by the id of the text's message.
    private(set) var numbers: [EntryID: Int] = [:]
    /// Number of messages that devices show as changed at the end of the simulation. Each message counts once for each device.
    var changedMessages = 0
    private(set) var epochs: [EpochPlace: EpochFacts] = [:]
    private var generations: [GenerationPlace: [UInt8]] = [:]
    /// The entries of channels that do not belong to a conversation.
    private var parcels: [ChannelID: [(entry: EntryID, payload: [UInt8])]] = [:]
    /// For each client, the numbers of the texts that were ever on the client's disk.
    private(set) var seen: [Int: Set<Int>] = [:]
    /// For each client, the epochs whose keys the client had, each with the group at that time.
    private(set) var known: [Int: [EpochPlace: Group]] = [:]
    /// For each client, the grants of all tokens that the client was ever able to compute.
    private(set) var grants: [Int: Set<Grant>] = [:]
    /// Whether a group might have a member that does not know about the group. A member might never learn about the group if
    /// the member's invite had ended before the addition, or if the member has blocked the inviter.
    var hasGhosts = false
    /// The warnings that clients have shown.
    private(set) var warnings: [(client: Int, conversation: ConversationID, warning: Warning)] = []
    /// The relay states in the events of profile machines, without the reports of ``LinkMachine``.
    private(set) var relayStates: [(client: Int, state: RelayState)] = []
    /// Entries that clients could not read.
    private(set) var unreadable: [(client: Int, reason: UnreadableReason)] = []
    /// The differences between clocks that clients have reported.
    private(set) var clocks: [(client: Int, difference: ClockDifference)] = []
    /// The proofs of presence that clients have received.
    private(set) var presences: [(client: Int, log: LogComparison)] = []
    /// The conversations in which clients suspect their relay.
    private(set) var suspected: [Int: Set<ConversationID>] = [:]
    /// For each client, the messages that the client has shown.
    private(set) var told: [Int: Set<EntryID>] = [:]
    /// The people whom each client has blocked at some time. The client may have dropped texts of blocked people.
    private(set) var blocked: [Int: Set<Int>] = [:]
    /// The lie that the relays tell about the entries before a turn; `nil` if they tell none.
    var lie: TurnLie?
    /// Number of pairs of members for which it was checked whether one of the two has detected the lie.
    var liesJudged = 0
    var protocolViolations = 0
    /// Whether the relays are honest. If the relays are honest, no client may show a warning.
    var relaysAreHonest = true

    // MARK: Texts

    /// Creates a text that no person has sent before.
    func newText(by author: Int, words: String, expires: Bool = false) -> (number: Int, text: String) {
        let number = said.count + 1
        let text = Marker.text(number) + words
        said[number] = Said(texts: [text], author: author, expires: expires)
        return (number, text)
    }

    /// Notes that the author tries to replace a text.
    ///
    /// - Returns: the new text.
    func editText(_ number: Int, words: String) -> String {
        let text = Marker.text(number) + words
        said[number]?.texts.insert(text)
        return text
    }

    /// Notes that the author tries to delete a text.
    func deleteText(_ number: Int) { said[number]?.expires = true }

    /// Notes that the author's device has reported a text as stored.
    func didAccept(_ id: EntryID, in conversation: ConversationID, number: Int) {
        said[number]?.isStored = true
        said[number]?.conversation = conversation.rawValue
        numbers[id] = number
    }

    /// Notes that a client blocks a contact. The client ignores invitations of the contact, so the client may be a member of a
    /// group without knowing of the group.
    func didBlock(_ contact: Contact, _ client: SimulatedClient) {
        hasGhosts = true
        guard let person = world.clients.first(where: { $0.account == contact.accountKey }) else { return }
        blocked[client.index, default: []].insert(person.index)
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

    /// Notes a text that a device has stored. The device may crash before it reports the text.
    private func learnOwnText(_ bytes: [UInt8], _ client: SimulatedClient) {
        guard let number = Marker.numbers(in: bytes).first else { return }
        guard let item = try? OutboxItem(stored: bytes), said[number]?.author == client.index else {
            return world.reportViolation("\(client.name) stored a text to be sent that cannot be read or is another's")
        }
        guard item.isText else { return }
        said[number]?.isStored = true
        numbers[item.entryID] = number
    }

    /// Notes a client's state in an epoch, and checks that all members of the epoch have the same state.
    private func learnEpoch(of owner: UInt64, _ client: SimulatedClient) {
        guard let group = try? client.store.storedGroup(owner), let channel = ChannelID(group.groupID) else {
            return world.reportViolation("\(client.name) stored a group that cannot be read")
        }
        guard group.status != .removed else { return }
        let place = EpochPlace(channel: channel, epoch: group.epoch)
        let facts = EpochFacts(
            authenticator: group.epochAuthenticator.copyBytes(), members: members(of: group), group: group)
        if let before = epochs[place] {
            if before.authenticator != facts.authenticator || before.members != facts.members {
                world.reportViolation("\(client.name) has another epoch \(group.epoch) than the others")
            }
        } else {
            epochs[place] = facts
        }
        if !facts.members.contains(client.index) {
            world.reportViolation("\(client.name) has an epoch that it is no member of")
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

    /// Checks that a client sends nothing in a conversation before its user has accepted the conversation.
    private func checkConsent(_ request: Request, _ client: SimulatedClient) {
        let channel: ChannelID
        switch request {
        case .create(let id, _, _, _), .present(let id, _, _), .append(let id, _, _, _), .turn(let id, _, _, _, _),
            .whisper(let id, _, _), .close(let id):
            channel = id
        default: return
        }
        guard let machine = client.machine, let id = machine.conversation(on: channel),
            (try? machine.conversationSummary(id))?.isPending == true
        else { return }
        world.reportViolation("\(client.name) acts in a conversation that its person has not accepted")
    }

    /// Checks a request before it is sent. Each key of the ratchet may be used for one message only.
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
                return world.reportViolation("\(client.name) refers to a commit that is not there")
            }
            payload = commit
        }
        guard let sender = try? facts.group.place(of: payload) else {
            return world.reportViolation("\(client.name) sends something that no member can read")
        }
        let generation = GenerationPlace(epoch: place, sender: sender)
        if let before = generations[generation], before != payload {
            world.reportViolation("\(client.name) uses generation \(sender.generation) of epoch \(epoch) twice")
        }
        generations[generation] = payload
    }

    /// Notes an entry in a channel that does not belong to a conversation.
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
        case .memberIsOnline(_, _, _, let log): presences.append((client.index, log))
        case .conversation(let summary):
            if summary.isSuspect { didSuspect(summary.id, client) }
        case .message(let message):
            told[client.index, default: []].insert(message.id)
            for warning in message.warnings { didWarn(warning, message.conversation, client) }
            if case .notice(.unreadable(let reason, _, _)) = message.body {
                unreadable.append((client.index, reason))
                if relaysAreHonest { world.reportViolation("\(client.name) cannot read an entry: \(reason)") }
            }
        default: break
        }
    }

    /// Notes that a client suspects the relay of a conversation.
    func didSuspect(_ conversation: ConversationID, _ client: SimulatedClient) {
        suspected[client.index, default: []].insert(conversation)
    }

    private func didWarn(_ warning: Warning, _ conversation: ConversationID, _ client: SimulatedClient) {
        warnings.append((client.index, conversation, warning))
        // The relay has temporarily refused one of several messages in flight. Until that message is sent again, the log has a
        // gap.
        if case .missingBefore = warning, world.counts.refusedAppends > 0 { return }
        // This warning is right, because people in the simulation use single-use invites twice.
        if warning == .inviteUsedAgain { return }
        // This warning is right, because a relay may have asked for a pause.
        if case .invitationWaits = warning { return }
        // This warning is about a block, because people in the simulation block others while texts wait.
        if case .notSentToBlocked = warning { return }
        if relaysAreHonest { world.reportViolation("\(client.name) is warned of an honest relay: \(warning)") }
    }

    /// Checks that a refused command changes nothing. Changes of expiring texts are ignored: a changed clock may have caused
    /// them. The machine notices a changed clock at its next input, and then hides, erases or prolongs texts. The input at which
    /// the machine notices the change may be the refused command.
    func check(_ inputs: [ProfileInput], _ output: ProfileOutput, _ client: SimulatedClient) {
        let writes = output.transaction.writes.filter { ![.expiry, .entry].contains($0.table) }
        guard inputs.count == 1, case .command(let command) = inputs[0], !writes.isEmpty else { return }
        for case .finish(command.id, .failure(let error)) in output.effects {
            // This command is stored and performed later, although it returns an error.
            if case .keyPackageNotCurrent = error { continue }
            world.reportViolation("\(client.name): a command is refused (\(error)) and something is stored: \(writes)")
        }
    }
}

extension StoreTransaction.Write {
    /// The changed table.
    fileprivate var table: StoreTable {
        switch self {
        case .put(let key, _), .delete(let key): key.table
        case .deleteAll(let table, _): table
        }
    }
}

/// Puts a number into each text, and finds the numbers in bytes. By its number, the checker finds each text wherever it
/// appears.
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
