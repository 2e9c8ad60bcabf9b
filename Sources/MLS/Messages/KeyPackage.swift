import TLSCodec

/// A package that a client publishes (RFC 9420 §10). Members use the package to add the client to a group. A decoded key package
/// is not verified: see ``verify(groupExtensions:in:)``.
///
/// ```text
/// struct {
///     ProtocolVersion version;
///     CipherSuite cipher_suite;
///     HPKEPublicKey init_key;
///     LeafNode leaf_node;
///     Extension extensions<V>;
///     /* SignWithLabel(., "KeyPackageTBS", KeyPackageTBS) */
///     opaque signature<V>;
/// } KeyPackage;
/// ```
public struct KeyPackage: Hashable, Sendable, TLSCodable {
    /// The protocol version.
    public let version: ProtocolVersion
    /// The cipher suite.
    public let cipherSuite: CipherSuite
    /// The key to which a Welcome is encrypted.
    public let initKey: HPKEPublicKey
    /// The client's leaf, which is added to the tree.
    public let leafNode: LeafNode
    /// The key package's extensions.
    public let extensions: [Extension]
    /// The client's signature over all preceding fields.
    public let signature: [UInt8]

    init(
        cipherSuite: CipherSuite, initKey: HPKEPublicKey, leafNode: LeafNode, extensions: [Extension],
        signer: SignaturePrivateKey
    ) throws(MLSError) {
        guard extensions.count <= Limits.extensions else { throw .usage(.tooLarge) }
        let unsigned = KeyPackage(
            version: .mls10, cipherSuite: cipherSuite, initKey: initKey, leafNode: leafNode, extensions: extensions,
            signature: [])
        self.init(
            version: .mls10, cipherSuite: cipherSuite, initKey: initKey, leafNode: leafNode, extensions: extensions,
            signature: try signer.signWithLabel("KeyPackageTBS", unsigned.toBeSigned))
    }

    init(
        version: ProtocolVersion, cipherSuite: CipherSuite, initKey: HPKEPublicKey, leafNode: LeafNode,
        extensions: [Extension], signature: [UInt8]
    ) {
        self.version = version
        self.cipherSuite = cipherSuite
        self.initKey = initKey
        self.leafNode = leafNode
        self.extensions = extensions
        self.signature = signature
    }

    /// Reads a key package.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        version = try reader.read()
        cipherSuite = try reader.read()
        initKey = try reader.read()
        leafNode = try reader.read()
        extensions = try reader.readExtensions()
        signature = Array(try reader.readOpaque(limit: Limits.signatureLength))
    }

    /// Writes the key package.
    public func encode(into writer: inout TLSWriter) {
        encodeUnsigned(into: &writer)
        writer.writeOpaque(signature)
    }

    /// `KeyPackageTBS` (§10).
    var toBeSigned: [UInt8] {
        var writer = TLSWriter(capacity: 512)
        encodeUnsigned(into: &writer)
        return writer.bytes
    }

    private func encodeUnsigned(into writer: inout TLSWriter) {
        writer.write(version)
        writer.write(cipherSuite)
        writer.write(initKey)
        writer.write(leafNode)
        writer.writeVector(extensions)
    }

    /// Returns the `KeyPackageRef` (§5.2). A Welcome identifies the key package by this reference.
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``.
    public func reference() throws(MLSError) -> [UInt8] {
        try cipherSuite.requireAlgorithms().hash.keyPackageRef(encoded)
    }

    /// Whether this is a package of last resort. A package of last resort is used only if the client has no further package. The
    /// package's mark is a `last_resort_key_package` component of the `app_data_dictionary` (draft-ietf-mls-extensions).
    public var isLastResort: Bool {
        guard let data = extensions[.appDataDictionary], let dictionary = try? AppDataDictionary(decoding: data) else {
            return false
        }
        return dictionary[.lastResortKeyPackage] != nil
    }
}
