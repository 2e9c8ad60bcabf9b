@testable import MLS

/// A leaf before it is signed, valid until it is changed.
struct LeafDraft {
    var encryptionKey: HPKEPublicKey
    var signatureKey: SignaturePublicKey
    var credential: Credential
    var capabilities: Capabilities
    var source: LeafNodeSource
    var extensions: [Extension]

    init(_ leaf: LeafNode) {
        encryptionKey = leaf.encryptionKey
        signatureKey = leaf.signatureKey
        credential = leaf.credential
        capabilities = leaf.capabilities
        source = leaf.source
        extensions = leaf.extensions
    }

    func signed(_ signer: SignaturePrivateKey, _ place: LeafNode.Place? = nil) throws -> LeafNode {
        // The signature covers the draft's signature key, which need not be the signer's.
        let template = LeafTemplate(
            credential: credential, capabilities: capabilities, extensions: extensions, signer: signer)
        let probe = try LeafNode(template, encryptionKey: encryptionKey, source: source, place: place)
        guard signatureKey != signer.publicKey else { return probe }
        return LeafNode(
            encryptionKey: encryptionKey, signatureKey: signatureKey, credential: credential,
            capabilities: capabilities, source: source, extensions: extensions, signature: probe.signature)
    }
}

/// Makes messages that are authentic and break one rule.
struct Forge {
    /// The misbehaving member.
    var group: Group

    var own: LeafNode {
        get throws {
            guard let leaf = group.tree[group.ownLeafIndex] else { throw JSON.Missing(description: "own leaf") }
            return leaf
        }
    }

    var place: LeafNode.Place { .init(groupID: group.groupID, leafIndex: group.ownLeafIndex) }

    /// The fields of a message around its content. They are right unless a test changes them.
    struct Frame {
        var groupID: [UInt8]
        var epoch: UInt64
        var sender: Sender
        var signer: SignaturePrivateKey
        /// The confirmation tag of a commit.
        var tag: [UInt8] = [0]
    }

    /// Signs and tags any content.
    func message(
        _ content: FramedContent.Content, _ change: (inout Frame) throws -> Void = { _ in }
    ) throws -> MLSMessage {
        .publicMessage(try publicMessage(content, change))
    }

    /// Signs and tags any content.
    func publicMessage(
        _ content: FramedContent.Content, _ change: (inout Frame) throws -> Void = { _ in }
    ) throws -> PublicMessage {
        var frame = Frame(
            groupID: group.groupID, epoch: group.epoch, sender: .member(group.ownLeafIndex), signer: group.signer)
        try change(&frame)
        let framed = FramedContent(
            groupID: frame.groupID, epoch: frame.epoch, sender: frame.sender, authenticatedData: [], content: content)
        var signed = try AuthenticatedContent(
            signing: framed, wireFormat: .publicMessage, context: group.context, key: frame.signer)
        if case .commit = content { signed.auth.confirmationTag = frame.tag }
        var membershipTag: [UInt8]?
        if case .member = framed.sender {
            membershipTag = group.algorithms.hash.hmac(
                key: group.secrets.membershipKey, signed.toBeMACed(group.context))
        }
        return PublicMessage(content: framed, auth: signed.auth, membershipTag: membershipTag)
    }

    /// A commit of proposals by value, with an optional path.
    func commit(_ proposals: [Proposal], path: UpdatePath? = nil) throws -> MLSMessage {
        try message(.commit(Commit(proposals: proposals.map { .proposal($0) }, path: path)))
    }

    /// The path of an ordinary commit by this member, to be changed.
    func path(_ options: CommitOptions = CommitOptions()) throws -> UpdatePath {
        var copy = group
        let environment = testEnvironment { $0.configuration.encryptsHandshakes = false }
        guard case .publicMessage(let message) = try copy.commit(options, in: environment).message,
            case .commit(let commit) = message.content.content, let path = commit.path
        else { throw JSON.Missing(description: "no path") }
        return path
    }

    /// An ordinary path whose leaf is changed and signed again.
    func path(leaf change: (inout LeafDraft) throws -> Void) throws -> UpdatePath {
        let path = try path()
        var draft = LeafDraft(path.leafNode)
        try change(&draft)
        return UpdatePath(leafNode: try draft.signed(group.signer, place), nodes: path.nodes)
    }

    /// An Update proposal with a changed leaf.
    func update(_ change: (inout LeafDraft) throws -> Void) throws -> MLSMessage {
        var draft = LeafDraft(try own)
        draft.encryptionKey = try group.algorithms.kem.generateKeyPair(.system).publicKey
        draft.source = .update
        try change(&draft)
        return try message(.proposal(.update(draft.signed(group.signer, place))))
    }

    // MARK: Key packages

    static func keyPackage(
        _ name: String = "mallory", suite: CipherSuite = .x25519AES128SHA256Ed25519,
        leaf change: (inout LeafDraft) throws -> Void = { _ in }, sign: SignaturePrivateKey? = nil
    ) throws -> KeyPackage {
        let bundle = try testBundle(name, suite)
        var draft = LeafDraft(bundle.keyPackage.leafNode)
        try change(&draft)
        return try KeyPackage(
            cipherSuite: suite, initKey: bundle.keyPackage.initKey, leafNode: draft.signed(sign ?? bundle.signer),
            extensions: [], signer: bundle.signer)
    }

    // MARK: Welcomes

    /// The parts of a Welcome; they are valid together until one is changed.
    struct WelcomeDraft {
        var tree: RatchetTree
        var context: GroupContext
        var infoExtensions: [Extension] = []
        var includesTree = true
        var encodedTree: [UInt8]?
        var pathSecret: SecretBytes?
        var preSharedKeys: [PreSharedKeyID] = []
        var pskSecrets: [ResolvedPSK] = []
        var signerIndex: LeafIndex
        var signer: SignaturePrivateKey
        var tag: [UInt8]?
        var suite: CipherSuite
        var announcesTreeHash = true
    }

    /// A Welcome by this member for someone whose leaf it adds to the tree.
    func welcome(
        _ bundle: KeyPackageBundle, adds: Bool = true, _ change: (inout WelcomeDraft) throws -> Void = { _ in }
    ) throws -> Welcome {
        let algorithms = group.algorithms
        var tree = group.tree
        if adds { _ = try tree.add(bundle.keyPackage.leafNode) }
        var context = group.context
        context.epoch += 1
        var draft = WelcomeDraft(
            tree: tree, context: context, signerIndex: group.ownLeafIndex, signer: group.signer,
            suite: group.cipherSuite)
        try change(&draft)
        if draft.announcesTreeHash { draft.context.treeHash = draft.tree.treeHash() }
        let joiner = SecretBytes([UInt8](repeating: 3, count: algorithms.hashLength))
        let pskSecret = try algorithms.hash.pskSecret(draft.pskSecrets)
        let schedule = KeySchedule(
            joinerSecret: joiner, pskSecret: pskSecret, context: draft.context.encoded, algorithms.hash)
        var extensions = draft.infoExtensions
        if draft.includesTree {
            extensions.append(Extension(type: .ratchetTree, data: draft.encodedTree ?? draft.tree.encoded))
        }
        let tag =
            draft.tag
            ?? schedule.secrets.confirmationTag(draft.context.confirmedTranscriptHash, algorithms.hash)
        let info = try GroupInfo(
            groupContext: draft.context, extensions: extensions, confirmationTag: tag, signer: draft.signerIndex,
            key: draft.signer)
        let keys = WelcomeKeys(schedule.welcomeSecret, algorithms)
        let sealed = try algorithms.aead.seal(info.encoded, key: keys.key, nonce: keys.nonce, aad: [])
        let secrets = GroupSecrets(
            joinerSecret: joiner, pathSecret: draft.pathSecret, preSharedKeys: draft.preSharedKeys)
        return Welcome(
            cipherSuite: draft.suite,
            secrets: [
                EncryptedGroupSecrets(
                    newMember: try bundle.keyPackage.reference(),
                    encryptedGroupSecrets: try algorithms.encryptWithLabel(
                        to: bundle.keyPackage.initKey, "Welcome", context: sealed, secrets.encoded, .system))
            ], encryptedGroupInfo: sealed)
    }
}
