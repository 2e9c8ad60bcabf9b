import TLSCodec

/// A client's part in the groups that it joins: its credential, its signing key and its capabilities.
public struct Client: Sendable {
    /// The client's identity.
    public var credential: Credential
    /// The key that the client signs with.
    public var signer: SignaturePrivateKey
    /// The features that the client supports.
    public var capabilities: Capabilities
    /// The extensions of its leaves.
    public var leafExtensions: [Extension]
    /// Whether its leaves and key packages carry GREASE (RFC 9420 §13.5): values without meaning, which keep others from
    /// relying on their absence. 11 bytes for each leaf and 3 more for a key package.
    public var carriesGREASE = true

    /// Takes the parts.
    public init(
        credential: Credential, signer: SignaturePrivateKey, capabilities: Capabilities = Capabilities(),
        leafExtensions: [Extension] = []
    ) {
        self.credential = credential
        self.signer = signer
        self.capabilities = capabilities
        self.leafExtensions = leafExtensions
    }

    /// The contents of the client's next leaf.
    func template(random: RandomSource) -> LeafTemplate {
        let shown = carriesGREASE ? capabilities.greased(random: random) : capabilities
        let grease = carriesGREASE ? shown.extensions.first { $0.isGREASE } : nil
        return LeafTemplate(
            credential: credential, capabilities: shown,
            extensions: grease.map(leafExtensions.greased) ?? leafExtensions,
            signer: signer)
    }
}

/// A key package with its private keys (RFC 9420 §10). The package is published; the keys wait for a Welcome.
public struct KeyPackageBundle: Sendable {
    /// The package to publish.
    public let keyPackage: KeyPackage
    /// The key that opens the Welcome. Delete it afterwards, unless the package is one of last resort.
    public let initKey: HPKEPrivateKey
    /// The encryption key of the client's leaf.
    public let encryptionKey: HPKEPrivateKey
    /// The key that the client signs with.
    public let signer: SignaturePrivateKey

    /// Makes a fresh key package.
    ///
    /// One of last resort says so in an extension, whose type its leaf's capabilities list then, as they must (§10;
    /// draft-ietf-mls-extensions).
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``; ``MLSError/usage(_:)`` if the signer is of another suite;
    ///   ``MLSError/leafNode(_:)`` if the capabilities do not list the extensions; ``MLSError/keyPackage(_:)`` if one is
    ///   there twice.
    public init(
        suite: CipherSuite, client: Client, lifetime: Lifetime, extensions: [Extension] = [],
        isLastResort: Bool = false, random: RandomSource = .system
    ) throws(MLSError) {
        let algorithms = try suite.requireAlgorithms()
        guard client.signer.scheme == algorithms.signature else { throw .usage(.wrongKey) }
        initKey = try algorithms.kem.generateKeyPair(random)
        encryptionKey = try algorithms.kem.generateKeyPair(random)
        signer = client.signer
        let template = client.template(random: random)
        var (extensions, capabilities) = (extensions, template.capabilities)
        if client.carriesGREASE, let grease = capabilities.extensions.first(where: \.isGREASE) {
            extensions = extensions.greased(grease)
        }
        if isLastResort {
            var dictionary = AppDataDictionary()
            dictionary[.lastResortKeyPackage] = []
            extensions.append(dictionary.asExtension)
            if !capabilities.supports(.appDataDictionary) { capabilities.extensions.append(.appDataDictionary) }
        }
        guard !extensions.hasDuplicates else { throw .keyPackage(.duplicateExtension) }
        guard capabilities.list(extensions) else { throw .leafNode(.extensionNotInCapabilities) }
        let leaf = try LeafNode(
            encryptionKey: encryptionKey.publicKey, credential: client.credential, capabilities: capabilities,
            source: .keyPackage(lifetime), extensions: template.extensions, place: nil, signer: signer)
        keyPackage = try KeyPackage(
            cipherSuite: suite, initKey: initKey.publicKey, leafNode: leaf, extensions: extensions, signer: signer)
    }

    /// Puts a bundle together from its parts.
    ///
    /// - Throws: ``MLSError/usage(_:)`` if a private key is not the one of the package.
    public init(
        keyPackage: KeyPackage, initKey: SecretBytes, encryptionKey: SecretBytes, signer: SecretBytes
    ) throws(MLSError) {
        let algorithms = try keyPackage.cipherSuite.requireAlgorithms()
        self.keyPackage = keyPackage
        self.initKey = try algorithms.kem.privateKey(initKey)
        self.encryptionKey = try algorithms.kem.privateKey(encryptionKey)
        self.signer = try SignaturePrivateKey(scheme: algorithms.signature, signer)
        guard self.initKey.publicKey == keyPackage.initKey,
            self.encryptionKey.publicKey == keyPackage.leafNode.encryptionKey,
            self.signer.publicKey == keyPackage.leafNode.signatureKey
        else { throw .usage(.wrongKey) }
    }

    /// The message that is published.
    public var message: MLSMessage { .keyPackage(keyPackage) }
}
