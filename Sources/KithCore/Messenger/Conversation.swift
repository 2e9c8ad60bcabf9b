import KithWire
import MLS

/// A conversation in memory: what is stored of it, and how it stands with its relay now.
final class Conversation {
    let id: ConversationID
    var record: ConversationRecord
    var outbox: Outbox
    /// Nil until it is needed, and again when it was not needed for long.
    var loaded: LoadedGroup?
    /// The last use of the group, as a count of uses of groups.
    var lastUse: UInt64 = 0
    /// The tokens of the current epoch while the group is not loaded: a connection needs no more.
    private var keptTokens: (epoch: UInt64, tokens: EpochTokens)?
    var sync = SyncState.offline(retryAt: nil)
    var acknowledged = Acknowledgements()
    var keyPackages = KeyPackageFetches()
    var comparison = ViewComparison()
    var notices = RepeatedNotices()
    /// Ids of messages that were seen lately: a message is said once.
    var recentIDs: RecentIDs?
    /// The time at which others' proposals are committed, in milliseconds since 1970.
    var commitProposalsAt: UInt64?
    var presence = Presence()
    /// Whether the other side of a conversation of two is about to get an address of this device.
    var isCardDue = false

    /// The group, with what must be stored of it.
    final class LoadedGroup {
        var group: Group
        var pending: PendingTurn?
        /// Whether the epoch is another than the stored one.
        var isNewEpoch = false
        /// Nil for who was removed: it has no rights in the channel, and no secret of the epoch to derive them from.
        var tokens: EpochTokens?

        init(_ group: Group, pending: PendingTurn?) throws(MLSError) {
            self.group = group
            self.pending = pending
            tokens = group.status == .removed ? nil : try EpochTokens(group)
        }

        /// Takes over what a commit made of the group.
        func enter(_ next: Group) throws(MLSError) {
            tokens = try EpochTokens(next)
            group = next
            pending = nil
            isNewEpoch = true
        }
    }

    /// Whether this device has asked the others to take it out.
    var isLeaving: Bool { record.intents.contains { $0.change == .leave } }

    init(id: ConversationID, record: ConversationRecord) {
        self.id = id
        self.record = record
        outbox = Outbox(of: id)
    }

    /// Lets go of the group, and of what can be read from the store again.
    func unload() {
        keptTokens = loaded?.tokens.map { (record.epoch, $0) }
        loaded = nil
        comparison.unload()
        recentIDs = nil
    }

    /// The tokens of the current epoch, as far as they are at hand.
    var tokens: EpochTokens? {
        if let loaded { return loaded.tokens }
        return keptTokens.flatMap { $0.epoch == record.epoch ? $0.tokens : nil }
    }

    /// Whether the others are gone, and nobody is about to come in.
    var isLeftAlone: Bool {
        record.status == .active && record.memberCount < 2
            && !record.intents.contains { if case .add = $0.change { true } else { false } }
    }

    /// When to look again at a key package that was not valid when it came. What was asked for in its place wakes the
    /// conversation when it comes.
    var heldUntil: UInt64? {
        record.intents.flatMap { intent -> [UInt64] in
            guard case .add(let targets) = intent.change else { return [] }
            return targets.compactMap { keyPackages.heldUntil($0.inbox.channel) }
        }.min()
    }

    /// Forgets everything about the connection.
    func hangUp() {
        sync = .offline(retryAt: nil)
        presence.hangUp()
    }
}

/// The tokens of an epoch: `MLS-Exporter("kith channel", role, 32)` for the roles "read", "append" and "turn".
struct EpochTokens {
    let read: Token
    let append: Token
    let turn: Token

    init(_ export: (_ label: String, _ context: [UInt8], _ length: Int) throws(MLSError) -> SecretBytes)
        throws(MLSError)
    {
        func token(_ role: String) throws(MLSError) -> Token {
            let secret = try export("kith channel", Array(role.utf8), 32)
            guard let token = secret.withUnsafeBytes({ Token($0) }) else { throw .internalError }
            return token
        }
        read = try token("read")
        append = try token("append")
        turn = try token("turn")
    }

    init(_ group: Group) throws(MLSError) {
        try self.init { (label, context, length) throws(MLSError) in
            try group.export(label: label, context: context, length: length)
        }
    }

    /// The tokens of the epoch that a commit would open.
    init(_ commit: PendingCommit) throws(MLSError) {
        try self.init { (label, context, length) throws(MLSError) in
            try commit.export(label: label, context: context, length: length)
        }
    }

    var all: [Token] { [read, append, turn] }
    var access: Access { Access(read: Grant(for: read), append: Grant(for: append), turn: Grant(for: turn)) }
}

/// The ids of the last messages, to notice one that is said twice.
struct RecentIDs {
    private var ids: Set<EntryID> = []
    private var order: [EntryID] = []
    private static let most = 4096

    /// Returns whether the id is new.
    mutating func insert(_ id: EntryID) -> Bool {
        guard ids.insert(id).inserted else { return false }
        order.append(id)
        if order.count >= 2 * Self.most {
            for old in order.prefix(Self.most) { ids.remove(old) }
            order.removeFirst(Self.most)
        }
        return true
    }
}
