import TLSCodec

/// A client's data for the groups that it joins: its credential, its signing key and its capabilities.
public struct Client: Sendable {
    /// The client's identity.
    public var credential: Credential
    /// The key with which the client signs.
    public var signer: SignaturePrivateKey
    /// The features that the client supports.
    public var capabilities: Capabilities
    /// The extensions of the client's leaves.
    public var leafExtensions: [Extension]
    /// Whether the client's leaves and key packages carry GREASE (RFC 9420 §13.5). GREASE values have no meaning. GREASE trains
    /// other clients to accept unknown values. GREASE takes 11 bytes in each leaf, and 3 more bytes in a key package.
    public var carriesGREASE = true

    /// Creates a client from its parts.
    public init(
        credential: Credential, signer: SignaturePrivateKey, capabilities: Capabilities = Capabilities(),
        leafExtensions: [Extension] = []
    ) {
        self.credential = credential
        self.signer = signer
        self.capabilities = capabilities
        self.leafExtensions = leafExtensions
    }

    /// Returns the contents of the client's next leaf.
    func template(random: RandomSource) -> LeafTemplate {
        let shown = carriesGREASE ? capabilities.greased(random: random) : capabilities
        let grease = carriesGREASE ? shown.extensions.first { $0.isGREASE } : nil
        return LeafTemplate(
            credential: credential, capabilities: shown,
            extensions: grease.map(leafExtensions.greased) ?? leafExtensions,
            signer: signer)
    }
}

/// A key package with its private keys (RFC 9420 §10). The client publishes the package. The client keeps the private keys until
/// a Welcome arrives.
public struct KeyPackageBundle: Sendable {
    /// The package to publish.
    public let keyPackage: KeyPackage
    /// The private key that opens the Welcome. After joining with the Welcome, delete the init key of an ordinary package. Keep
    /// the init key of a package of last resort.
    public let initKey: HPKEPrivateKey
    /// The encryption key of the client's leaf.
    public let encryptionKey: HPKEPrivateKey
    /// The key with which the client signs.
    public let signer: SignaturePrivateKey

    /// Creates a new key package.
    ///
    /// If `isLastResort` is true, the initializer marks the package with an extension (draft-ietf-mls-extensions), and adds the
    /// extension's type to the leaf's capabilities (§10).
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``. ``MLSError/usage(_:)`` if the signer belongs to a different suite.
    ///   ``MLSError/leafNode(_:)`` if the type of an extension is not in the capabilities. ``MLSError/keyPackage(_:)`` if an
    ///   extension occurs twice.
    public init(
        suite: CipherSuite, client: Client, lifetime: Lifetime, extensions: [Extension] = [],
        isLastResort: Bool = false, random: RandomSource = .system
    ) throws(MLSError) {
        let algorithms = try suite.requireAlgorithms()
        guard client.signer.scheme == algorithms.signature else { throw .usage(.wrongKey) }
        initKey = try algorithms.kem.generateKeyPair(random)
        encryptionKey = try algorithms.kem.generateKeyPair(random)
        signer = client.signer
        var (extensions, template) = (extensions, client.template(random: random))
        if client.carriesGREASE, let grease = template.capabilities.extensions.first(where: \.isGREASE) {
            extensions = extensions.greased(grease)
        }
        if isLastResort {
            var dictionary = AppDataDictionary()
            dictionary[.lastResortKeyPackage] = []
            extensions.append(dictionary.asExtension)
            if !template.capabilities.supports(.appDataDictionary) {
                template.capabilities.extensions.append(.appDataDictionary)
            }
        }
        guard !extensions.hasDuplicates else { throw .keyPackage(.duplicateExtension) }
        guard template.capabilities.list(extensions) else { throw .leafNode(.extensionNotInCapabilities) }
        let leaf = try LeafNode(template, encryptionKey: encryptionKey.publicKey, source: .keyPackage(lifetime))
        keyPackage = try KeyPackage(
            cipherSuite: suite, initKey: initKey.publicKey, leafNode: leaf, extensions: extensions, signer: signer)
    }

    /// Creates a bundle from its parts.
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``. ``MLSError/crypto(_:)`` if the bytes are not a private key.
    ///   ``MLSError/usage(_:)`` if a private key does not belong to the package.
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

    /// The key package as a message to publish.
    public var message: MLSMessage { .keyPackage(keyPackage) }
}
