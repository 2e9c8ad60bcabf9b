import TLSCodec

/// A Welcome that was opened but not used for joining yet (RFC 9420 §12.4.3.1). An opened Welcome shows the inviter and the size
/// of the group. Joining a large group takes much time: the whole tree is hashed, and every member's signature is verified.
///
/// The inviter is authentic. The inviter signed the GroupInfo, and the authentication service accepted the inviter's credential.
/// Apart from the inviter's identity, all data is only the inviter's claim until ``Group/init(joining:isMemberOf:in:)`` has
/// verified the tree.
///
/// An application that accepts Welcomes from strangers opens each Welcome first. Before joining, the application checks
/// ``inviter``, ``memberCount`` and ``leafCount``:
///
/// ```swift
/// let opened = try OpenedWelcome(welcome, with: bundle, ratchetTree: tree, in: environment)
/// if isStranger(opened.inviter) {
///     guard opened.memberCount <= 100,
///         TreeWidthPolicy.strict.allows(leaves: opened.leafCount, members: opened.memberCount)
///     else { return }
/// }
/// let group = try Group(joining: opened, in: environment)
/// ```
///
/// Opening makes two decryptions, verifies one signature, and decodes the tree. Decoding takes time and memory in proportion to
/// the size of the tree. If ``MLSConfiguration/treeWidth`` does not allow the tree, opening fails.
public struct OpenedWelcome: Sendable {
    let info: GroupInfo
    let secrets: GroupSecrets
    let pskSecret: SecretBytes
    let bundle: KeyPackageBundle
    let predecessor: Group?
    let tree: UnverifiedRatchetTree
    /// The leaf of the member that has sent the Welcome.
    public let inviter: LeafNode

    /// The identifier of the group.
    public var groupID: [UInt8] { info.groupContext.groupID }
    /// The epoch that the client enters with the Welcome.
    public var epoch: UInt64 { info.groupContext.epoch }
    /// The cipher suite of the group.
    public var cipherSuite: CipherSuite { info.groupContext.cipherSuite }
    /// The number of members, including this client.
    public var memberCount: Int { tree.memberCount }
    /// The number of leaves of the tree, including blank leaves. The time for joining grows with the number of leaves, because
    /// joining hashes about two nodes per leaf.
    public var leafCount: Int { tree.leafCount }

    /// Opens a Welcome.
    ///
    /// - Parameters:
    ///   - welcome: the message that the committer sent.
    ///   - bundle: the key package with which the client was added.
    ///   - ratchetTree: the tree, if it is not in the Welcome (§12.4.3.3).
    ///   - predecessor: the old group, if the new group is its successor (§11.2) or branch (§11.3). Nil if there is no old group,
    ///     or if the client was not a member of the old group.
    ///   - environment: the time, random bytes, decisions about credentials, and keys.
    /// - Throws: ``MLSError/joining(_:)``, ``MLSError/tree(_:)``, ``MLSError/leafNode(_:)`` or ``MLSError/preSharedKey(_:)``.
    ///   Each error names the broken rule.
    public init(
        _ welcome: Welcome, with bundle: KeyPackageBundle, ratchetTree: [UInt8]? = nil, predecessor: Group? = nil,
        in environment: MLSEnvironment
    ) throws(MLSError) {
        let algorithms = try welcome.cipherSuite.requireAlgorithms()
        secrets = try Self.groupSecrets(welcome, bundle, algorithms)
        let preSharedKeys = try Self.resolve(secrets.preSharedKeys, predecessor, algorithms, environment)
        pskSecret = try algorithms.hash.pskSecret(preSharedKeys)
        info = try Self.groupInfo(welcome, secrets.joinerSecret, pskSecret, algorithms)
        let opened = try info.openTree(ratchetTree, for: bundle.keyPackage.leafNode.capabilities, environment)
        guard
            environment.authentication.isValid(
                opened.signer.credential, signatureKey: opened.signer.signatureKey, as: .member)
        else { throw .leafNode(.credential) }
        tree = opened.tree
        inviter = opened.signer
        self.bundle = bundle
        self.predecessor = predecessor
    }

    private static func groupSecrets(
        _ welcome: Welcome, _ bundle: KeyPackageBundle, _ algorithms: Algorithms
    ) throws(MLSError) -> GroupSecrets {
        guard bundle.keyPackage.cipherSuite == welcome.cipherSuite else { throw .joining(.cipherSuite) }
        let reference = try bundle.keyPackage.reference()
        guard let entry = welcome.secrets.first(where: { $0.newMember == reference }) else {
            throw .joining(.notForThisKeyPackage)
        }
        let opened = try algorithms.decryptWithLabel(
            entry.encryptedGroupSecrets, key: bundle.initKey, "Welcome", context: welcome.encryptedGroupInfo)
        return try decoding { () throws(TLSCodecError) in try GroupSecrets(decoding: opened.copyBytes()) }
    }

    private static func resolve(
        _ ids: [PreSharedKeyID], _ predecessor: Group?, _ algorithms: Algorithms, _ environment: MLSEnvironment
    ) throws(MLSError) -> [ResolvedPSK] {
        var resolved: [ResolvedPSK] = []
        var linking = 0
        for id in ids {
            guard id.nonce.count == algorithms.hashLength else { throw .preSharedKey(.nonceLength) }
            var secret: SecretBytes?
            if case .resumption(let usage, let groupID, let epoch) = id.kind {
                if usage != .application { linking += 1 }
                if let predecessor, predecessor.groupID == groupID, predecessor.status != .removed {
                    secret =
                        predecessor.epoch == epoch
                        ? predecessor.resumptionPSK : predecessor.resumptionPSKs.first { $0.epoch == epoch }?.secret
                }
            }
            guard let secret = secret ?? environment.preSharedKey(id.kind) else { throw .preSharedKey(.unknown) }
            resolved.append(ResolvedPSK(id: id, secret: secret))
        }
        guard linking <= 1 else { throw .preSharedKey(.multipleResumptions) }
        return resolved
    }

    private static func groupInfo(
        _ welcome: Welcome, _ joinerSecret: SecretBytes, _ pskSecret: SecretBytes, _ algorithms: Algorithms
    ) throws(MLSError) -> GroupInfo {
        let welcomeSecret = KeySchedule.welcomeSecret(
            joinerSecret: joinerSecret, pskSecret: pskSecret, algorithms.hash)
        let keys = WelcomeKeys(welcomeSecret, algorithms)
        let opened = try algorithms.aead.open(
            welcome.encryptedGroupInfo[...], key: keys.key, nonce: keys.nonce, aad: [])
        let info = try decoding { () throws(TLSCodecError) in try GroupInfo(decoding: opened) }
        guard info.groupContext.cipherSuite == welcome.cipherSuite else { throw .joining(.cipherSuite) }
        return info
    }
}

extension GroupInfo {
    /// Finds the tree of a GroupInfo, checks the tree's width, and verifies the GroupInfo's signature with the signer's key from
    /// the tree.
    ///
    /// - Parameters:
    ///   - given: the tree, if it is not in the GroupInfo.
    ///   - capabilities: the capabilities of the joining client.
    func openTree(
        _ given: [UInt8]?, for capabilities: Capabilities, _ environment: MLSEnvironment
    ) throws(MLSError) -> (tree: UnverifiedRatchetTree, signer: LeafNode) {
        let algorithms = try groupContext.cipherSuite.requireAlgorithms()
        guard groupContext.version == .mls10 else { throw .joining(.version) }
        guard !extensions.hasDuplicates, !groupContext.extensions.hasDuplicates else {
            throw .joining(.duplicateExtension)
        }
        guard capabilities.withoutGREASE.list(groupContext.extensions) else {
            throw .joining(.groupExtensionUnsupported)
        }
        guard environment.configuration.allows(groupExtensions: groupContext.extensions) else {
            throw .joining(.groupExtensionRefused)
        }
        guard let encoded = extensions[.ratchetTree] ?? given else { throw .joining(.treeMissing) }
        let tree = try UnverifiedRatchetTree(
            decoding: encoded, algorithms.hash, within: environment.configuration.treeWidth)
        guard let leaf = tree[signer], isSignatureValid(leaf.signatureKey, algorithms.signature)
        else { throw .joining(.groupInfoSignature) }
        return (tree, leaf)
    }
}
