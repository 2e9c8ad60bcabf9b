import KithWire
import MLS

/// A conversation's group: in the store, and in memory while it is needed.
struct KeptGroup {
    private let conversation: ConversationID
    /// The group; `nil` while the group is not in memory. A group is read when it is needed, and leaves memory when it has not
    /// been needed for a long time.
    private var loaded: LoadedGroup?
    /// The last use of the group, as a number from ``Step/nextUse()``.
    private(set) var lastUse: UInt64 = 0
    /// The tokens of an epoch while the group is not loaded. A connection needs no other part of the group.
    private var keptTokens: (epoch: UInt64, tokens: EpochTokens)?

    init(of conversation: ConversationID) { self.conversation = conversation }

    /// Whether the group is in memory.
    var isLoaded: Bool { loaded != nil }

    /// Whether the group is in memory and has a commit of this device that is not in the log yet.
    var hasPendingCommit: Bool { loaded?.pending != nil }

    /// Whether the group has proposals that were not committed; `nil` if the group is not in memory.
    var hasProposals: Bool? { loaded.map { !$0.group.pendingProposals.isEmpty } }

    /// The tokens of an epoch, if they are in memory.
    func tokens(of epoch: UInt64) -> EpochTokens? {
        if let loaded { return loaded.tokens }
        return keptTokens.flatMap { $0.epoch == epoch ? $0.tokens : nil }
    }

    /// Whether this device has the group, in memory or in the store. A device that was restored from a backup does not have the
    /// group until a member adds the device again.
    func isKnown(in store: any ProfileStore) throws(KithError) -> Bool {
        if loaded != nil { return true }
        let key = StoreKey(.epoch, owner: conversation.rawValue, item: 0)
        return try reading { () throws(StoreError) in try store.value(key) } != nil
    }

    /// Sets the group to a new one, which is not in the store yet.
    mutating func begin(_ group: Group) throws(KithError) { loaded = try LoadedGroup(new: group) }

    /// Returns the group. On first use, reads it from the store.
    mutating func load(in device: inout DeviceState) throws(KithError) -> LoadedGroup {
        lastUse = device.step.nextUse()
        if let loaded { return loaded }
        let read = try LoadedGroup(of: conversation, from: device.store)
        loaded = read
        return read
    }

    /// Puts the group's changes into a step's transaction.
    func store(in step: inout Step) { loaded?.store(of: conversation, in: &step) }

    /// Frees the group, which can be read from the store again.
    mutating func unload(in epoch: UInt64) {
        keptTokens = loaded?.tokens.map { (epoch, $0) }
        loaded = nil
    }
}
