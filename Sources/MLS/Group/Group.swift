import TLSCodec

/// A member's view of a group (RFC 9420 §4.2). A group is a value. A call on one copy of a group changes no other copy.
///
/// Creating or receiving a commit leaves the group in its epoch. Creating a commit returns a ``PendingCommit``, and receiving a
/// commit returns a ``StagedCommit``. Once the delivery service has decided the order of commits, the caller applies the returned
/// commit or drops it. A call that throws an error leaves the group unchanged.
public struct Group: Sendable {
    /// The operations that a group still allows.
    public enum Status: Hashable, Sendable {
        /// All operations.
        case active
        /// No operations, because this member was removed (§12.1.3).
        case removed
        /// No operation except the creation of the successor group (§11.2). The ReInit describes the successor group.
        case reinitialized(ReInit)
    }

    let algorithms: Algorithms
    /// The state on which all members agree (§8.1).
    public internal(set) var context: GroupContext
    /// The members and their keys (§7).
    public internal(set) var tree: RatchetTree
    /// This member's leaf.
    public internal(set) var ownLeafIndex: LeafIndex
    /// The operations that the group still allows.
    public internal(set) var status: Status = .active
    var signer: SignaturePrivateKey
    /// The private keys of this member's leaf and of nodes above the leaf, by node index. A node with an unknown private key is
    /// absent.
    var privateKeys: [Int: HPKEPrivateKey]
    var secrets: EpochSecrets
    var secretTree: SecretTree
    var exporterTree: ExporterTree
    var interimTranscriptHash: [UInt8]
    var confirmationTag: [UInt8]
    /// Resumption PSKs of past epochs, the oldest first (§8.6).
    var resumptionPSKs: [(epoch: UInt64, secret: SecretBytes)] = []
    var proposals = ProposalCache()
    /// The signer of the GroupInfo in this member's Welcome (RFC 9420 §12.4.3.1). Nil if this member did not join with a Welcome,
    /// or if the group was restored from storage.
    public internal(set) var inviter: LeafIndex?

    /// The cipher suite.
    public var cipherSuite: CipherSuite { context.cipherSuite }
    /// The group's identifier.
    public var groupID: [UInt8] { context.groupID }
    /// The epoch's number.
    public var epoch: UInt64 { context.epoch }
    /// The members, from left to right.
    public var members: some Sequence<(index: LeafIndex, leaf: LeafNode)> { tree.members }
    /// The number of members.
    public var memberCount: Int { tree.memberCount }
    /// The public key for this member's signatures.
    public var signatureKey: SignaturePublicKey { signer.publicKey }

    /// Creates a group with one member (§11).
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``. ``MLSError/leafNode(_:)`` if the client does not support the group's
    ///   extensions. ``MLSError/usage(_:)`` if the client's signer belongs to a different suite. ``MLSError/proposals(_:)`` if
    ///   the extensions are not allowed in a group (§13.4).
    public init(
        creating groupID: [UInt8], suite: CipherSuite, client: Client, extensions: [Extension] = [],
        lifetime: Lifetime, in environment: MLSEnvironment
    ) throws(MLSError) {
        let algorithms = try suite.requireAlgorithms()
        guard client.signer.scheme == algorithms.signature else { throw .usage(.wrongKey) }
        try validateGroupExtensions(extensions, replacing: [], environment)
        let key = try algorithms.kem.generateKeyPair(environment.random)
        let leaf = try LeafNode(
            client.template(random: environment.random), encryptionKey: key.publicKey, source: .keyPackage(lifetime))
        let rules = try LeafNodeRules(suite: suite, extensions: extensions, isSending: true)
        try leaf.validate(.keyPackage, rules, environment)
        var tree = RatchetTree(leaf, algorithms.hash)
        let context = GroupContext(
            cipherSuite: suite, groupID: groupID, epoch: 0, treeHash: tree.treeHash(), confirmedTranscriptHash: [],
            extensions: extensions)
        let schedule = KeySchedule(
            epochSecret: environment.random.secret(algorithms.hashLength), algorithms.hash)
        self.init(
            algorithms, context, tree,
            OwnLeaf(index: LeafIndex(0), signer: client.signer, privateKeys: [0: key]), schedule)
    }

    /// Creates a group in an epoch with known secrets. Computes the epoch's confirmation tag (§11).
    init(
        _ algorithms: Algorithms, _ context: GroupContext, _ tree: RatchetTree, _ own: OwnLeaf, _ schedule: KeySchedule
    ) {
        self.algorithms = algorithms
        self.context = context
        self.tree = tree
        ownLeafIndex = own.index
        signer = own.signer
        privateKeys = own.privateKeys
        secrets = schedule.secrets
        secretTree = SecretTree(encryptionSecret: schedule.encryptionSecret, size: tree.size, algorithms)
        exporterTree = ExporterTree(root: schedule.applicationExportSecret)
        confirmationTag = secrets.confirmationTag(context.confirmedTranscriptHash, algorithms.hash)
        interimTranscriptHash = TranscriptHash.interim(
            context.confirmedTranscriptHash, confirmationTag: confirmationTag, algorithms.hash)
    }

    /// Returns the resumption PSKs to store in the next epoch (§8.6). The PSK of this epoch is added. If there are too many PSKs,
    /// the oldest PSKs are left out.
    func resumptionPSKsOfNextEpoch(_ environment: MLSEnvironment) -> [(epoch: UInt64, secret: SecretBytes)] {
        let all = resumptionPSKs + [(context.epoch, secrets.resumptionPSK)]
        return Array(all.suffix(max(0, environment.configuration.resumptionEpochs)))
    }

    func requireActive() throws(MLSError) {
        guard status == .active else { throw .usage(.groupInactive) }
    }
}

/// A member's own leaf, with its private keys.
struct OwnLeaf {
    let index: LeafIndex
    let signer: SignaturePrivateKey
    /// The private keys of the leaf and of nodes above the leaf, by node index. A node with an unknown private key is absent.
    var privateKeys: [Int: HPKEPrivateKey]
}

/// Checks new extensions of a group context (§13.4). No type may occur twice. The extensions of RFC 9420 must be readable (§11.1,
/// §12.1.8.1). The application must accept the type of every extension. The authentication service must accept every external
/// sender (§5.3.1).
///
/// - Parameter old: the previous extensions. An unchanged list of external senders is not checked again.
func validateGroupExtensions(
    _ extensions: [Extension], replacing old: [Extension], _ environment: MLSEnvironment
) throws(MLSError) {
    guard !extensions.hasDuplicates else { throw .proposals(.duplicateExtension) }
    guard extensions.count <= Limits.extensions else { throw .usage(.tooLarge) }
    guard environment.configuration.allows(groupExtensions: extensions) else {
        throw .proposals(.groupExtensionRefused)
    }
    let senders: [ExternalSender]
    do {
        _ = try extensions.requiredCapabilities()
        senders = try extensions.externalSenders()
    } catch { throw .proposals(.malformedExtension) }
    guard extensions[.externalSenders] != old[.externalSenders] else { return }
    for sender in senders {
        guard
            environment.authentication.isValid(
                sender.credential, signatureKey: sender.signatureKey, as: .externalSender)
        else { throw .proposals(.externalSender) }
    }
}
