import KithWire
import MLS

/// A conversation's group in memory, with the changes that have to be stored.
final class LoadedGroup {
    private(set) var group: Group
    /// The commit of this device that is not in the log yet.
    private(set) var pending: PendingTurn?
    /// Whether the epoch differs from the one in the store.
    private var isNewEpoch = false
    /// The epoch's tokens; `nil` if this device was removed. A removed device has no rights in the channel, and no secret of the
    /// epoch from which tokens could be derived.
    private(set) var tokens: EpochTokens?

    /// Creates a value for a group that is not in the store.
    init(new group: Group) throws(KithError) {
        self.group = group
        isNewEpoch = true
        tokens = try callingMLS { () throws(MLSError) in try EpochTokens(group) }
    }

    /// Reads a conversation's group from the store.
    init(of conversation: ConversationID, from store: any ProfileStore) throws(KithError) {
        let owner = conversation.rawValue
        let state = try reading { () throws(StoreError) in try store.value(StoreKey(.epoch, owner: owner, item: 0)) }
        guard let state else { throw .store(.damaged(.epoch)) }
        let values = try reading { () throws(StoreError) in try store.values(.record, owner: owner) }
        let records = values.compactMap { value in
            GroupRecordKey(rawValue: value.item).map { GroupRecord(key: $0, content: SecretBytes(value.bytes)) }
        }
        let stored = try reading { () throws(StoreError) in
            try store.value(Self.pendingKey(owner))
        }
        let (group, pending, tokens) = try decodingStored(.epoch) {
            let group = try Group(restoring: SecretBytes(state), records: records)
            return (
                group, try stored.map(PendingTurn.init(stored:)),
                group.status == .removed ? nil : try EpochTokens(group)
            )
        }
        (self.group, self.pending, self.tokens) = (group, pending, tokens)
    }

    /// Processes a message of another member.
    ///
    /// The only proposal that Kith accepts is a member's proposal to remove its own leaf. Any other proposal is refused, because
    /// members would have to commit it even against their will. A proposal that nobody can commit would block all members.
    func receive(_ bytes: [UInt8], in environment: MLSEnvironment) throws(MLSError) -> ReceivedMessage {
        let message = try MLSMessage.decode(bytes)
        // Members send only private messages.
        guard case .privateMessage(let sealed) = message else { throw .message(.wireFormat) }
        guard sealed.contentType == .proposal else { return try group.process(message, in: environment) }
        var next = group
        let received = try next.process(message, in: environment)
        guard case .proposal(let proposal) = received, case .member(let sender) = proposal.sender,
            proposal.proposal == .remove(sender)
        else { throw .proposals(.unsupportedType) }
        group = next
        return received
    }

    /// Whether proposals of other members have to be committed.
    var othersPropose: Bool { group.pendingProposals.contains { $0.sender != .member(group.ownLeafIndex) } }

    /// Whether this device's removal was proposed in this epoch.
    var hasProposedLeaving: Bool {
        group.pendingProposals.contains {
            $0.sender == .member(group.ownLeafIndex) && $0.proposal == .remove(group.ownLeafIndex)
        }
    }

    /// Creates a commit whose Welcomes can be delivered. A small tree is in the Welcome itself. A larger tree is sent in a
    /// parcel. Even the tree of a small group may be large, because members choose the contents of their leaves.
    ///
    /// - Parameters:
    ///   - view: this device's view of the log, which the commit contains.
    ///   - device: this device. If the device's certificate is new, the commit carries the certificate.
    /// - Throws: ``KithError/tooLong(limit:)`` if the tree is too long for a parcel, or a Welcome is too long.
    func commit(
        _ proposals: [Proposal], inviting recipients: [PendingTurn.Recipient], view: LogView?, in device: DeviceState
    ) throws(KithError) -> (commit: PendingCommit, hasTreeInWelcome: Bool) {
        var environment = device.environment
        var options = CommitOptions(proposals)
        options.authenticatedData = view?.encoded ?? []
        options.newLeaf = newLeaf(of: device.identity)
        let isSmall = group.memberCount + recipients.count <= ClientLimits.membersWithTreeInWelcome
        for hasTree in isSmall ? [true, false] : [false] {
            environment.configuration.includesRatchetTree = hasTree
            let commit = try callingMLS { () throws(MLSError) in try group.commit(options, in: environment) }
            guard let recipient = recipients.first, case .welcome(let welcome)? = commit.welcome else {
                return (commit, hasTree)
            }
            guard hasTree || commit.ratchetTree.count <= ClientLimits.parcel else {
                throw .tooLong(limit: ClientLimits.parcel)
            }
            let one = try callingMLS { () throws(MLSError) in try welcome.only(for: recipient.keyPackage) }
            let length = one.map { MLSMessage.welcome($0).encoded.count } ?? 0
            if length <= (hasTree ? device.sizes.welcome : ClientLimits.welcome) { return (commit, hasTree) }
        }
        throw .tooLong(limit: ClientLimits.welcome)
    }

    /// Returns this device's next leaf with its new certificate; `nil` if the group has the certificate already.
    private func newLeaf(of identity: ProfileRecord) -> Client? {
        let credential = identity.client.credential
        guard let leaf = group.tree[group.ownLeafIndex], leaf.credential != credential else { return nil }
        var client = Client(
            credential: credential, signer: identity.signer, capabilities: leaf.capabilities,
            leafExtensions: leaf.extensions)
        // The capabilities are those of the old leaf, which already contain GREASE values.
        client.carriesGREASE = false
        return client
    }

    /// The key of a conversation's pending commit in the store.
    private static func pendingKey(_ owner: UInt64) -> StoreKey { StoreKey(.pendingCommit, owner: owner, item: 0) }

    /// Makes a commit the pending commit, and stores it.
    func stage(_ commit: PendingTurn, of conversation: ConversationID, in step: inout Step) {
        pending = commit
        step.put(Self.pendingKey(conversation.rawValue), commit.encoded)
    }

    /// Drops the pending commit, because it can no longer get into the log.
    func dropPending(of conversation: ConversationID, in step: inout Step) {
        pending = nil
        step.delete(Self.pendingKey(conversation.rawValue))
    }

    /// Encrypts a message.
    func encrypt(_ data: [UInt8], in environment: MLSEnvironment) throws(KithError) -> MLSMessage {
        try callingMLS { () throws(MLSError) in try group.encrypt(data, in: environment) }
    }

    /// Proposes the removal of this device.
    func proposeLeaving(in environment: MLSEnvironment) throws(KithError) -> MLSMessage {
        try callingMLS { () throws(MLSError) in
            try group.propose(.remove(group.ownLeafIndex), in: environment)
        }
    }

    /// Replaces the group by its state after a commit.
    func enter(_ next: Group) throws(KithError) {
        tokens = try callingMLS { () throws(MLSError) in try EpochTokens(next) }
        group = next
        pending = nil
        isNewEpoch = true
    }

    /// Applies a commit that removes this device. All secrets of the epoch are deleted.
    func leave(by commit: StagedCommit) throws(KithError) {
        try callingMLS { () throws(MLSError) in try group.apply(commit) }
        isNewEpoch = true
    }

    /// Adds the changes to a step's transaction.
    func store(of conversation: ConversationID, in step: inout Step) {
        let owner = conversation.rawValue
        guard isNewEpoch else {
            for record in group.takeChangedRecords() { put(record, owner, in: &step) }
            return
        }
        isNewEpoch = false
        group.epochState.withUnsafeBytes { step.put(StoreKey(.epoch, owner: owner, item: 0), Array($0)) }
        step.delete(Self.pendingKey(owner))
        step.deleteAll(.record, owner: owner)
        for record in group.records { put(record, owner, in: &step) }
        _ = group.takeChangedRecords()
    }

    private func put(_ record: GroupRecord, _ owner: UInt64, in step: inout Step) {
        let key = StoreKey(.record, owner: owner, item: record.key.rawValue)
        if let content = record.content {
            step.put(key, content.copyBytes())
        } else {
            step.delete(key)
        }
    }
}

extension Group {
    /// Returns the leaves of an account's devices.
    func leaves(of account: AccountKey) -> [LeafIndex] {
        members.filter { $0.leaf.credential.deviceCertificate?.accountKey == account }.map(\.index)
    }

    /// Whether the device with this certificate is a member. The certificate may have been renewed since the device joined.
    func includes(_ certificate: DeviceCertificate) -> Bool {
        members.contains { $0.leaf.credential.deviceCertificate?.deviceID == certificate.deviceID }
    }

    /// Whether every other member has left, or has proposed to leave.
    var othersAreLeaving: Bool {
        members.allSatisfy { member in
            member.index == ownLeafIndex || pendingProposals.contains { $0.proposal == .remove(member.index) }
        }
    }
}

extension MLSError {
    /// The reason why an entry could not be read, for the user.
    var unreadableReason: UnreadableReason {
        switch self {
        case .malformed: .malformed
        case .message(.generationConsumed): .repeated
        case .message(.generationTooFarAhead): .tooFarAhead
        case .commit, .proposals, .leafNode, .keyPackage, .tree, .preSharedKey: .invalidCommit
        default: .notGenuine
        }
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

    /// Derives the tokens of the epoch that begins with a commit.
    init(_ commit: PendingCommit) throws(MLSError) {
        try self.init { (label, context, length) throws(MLSError) in
            try commit.export(label: label, context: context, length: length)
        }
    }

    var all: [Token] { [read, append, turn] }
    var access: Access { Access(read: Grant(for: read), append: Grant(for: append), turn: Grant(for: turn)) }
}
