import TLSCodec

/// The period in which a leaf from a key package is valid (RFC 9420 §7.2).
public struct Lifetime: Hashable, Sendable, TLSCodable {
    /// The first second of the period, in seconds since 1970.
    public let notBefore: UInt64
    /// The last second of the period, in seconds since 1970.
    public let notAfter: UInt64

    /// Creates a period from the first and the last second.
    public init(notBefore: UInt64, notAfter: UInt64) {
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// Reads two `uint64`.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        notBefore = try reader.readUInt64()
        notAfter = try reader.readUInt64()
    }

    /// Writes two `uint64`.
    public func encode(into writer: inout TLSWriter) {
        writer.write(notBefore)
        writer.write(notAfter)
    }

    /// Whether a time, in seconds since 1970, is within the period.
    public func contains(_ time: UInt64) -> Bool { notBefore <= time && time <= notAfter }
}

/// The origin of a leaf (RFC 9420 §7.2), with the field for this origin.
public enum LeafNodeSource: Hashable, Sendable {
    /// The leaf is from a key package, and has a lifetime.
    case keyPackage(Lifetime)
    /// The leaf is from an Update proposal.
    case update
    /// The leaf is from the path of a commit, and has a parent hash (§7.9).
    case commit(parentHash: [UInt8])
}

/// A member's leaf of the ratchet tree (RFC 9420 §7.2).
///
/// ```text
/// struct {
///     HPKEPublicKey encryption_key;
///     SignaturePublicKey signature_key;
///     Credential credential;
///     Capabilities capabilities;
///     LeafNodeSource leaf_node_source;
///     select (LeafNode.leaf_node_source) {
///         case key_package: Lifetime lifetime;
///         case update:      struct{};
///         case commit:      opaque parent_hash<V>;
///     };
///     Extension extensions<V>;
///     /* SignWithLabel(., "LeafNodeTBS", LeafNodeTBS) */
///     opaque signature<V>;
/// } LeafNode;
/// ```
public struct LeafNode: Hashable, Sendable, TLSCodable {
    /// The key to which path secrets are encrypted.
    public let encryptionKey: HPKEPublicKey
    /// The key with which the member signs.
    public let signatureKey: SignaturePublicKey
    /// The member's identity.
    public let credential: Credential
    /// The features that the member supports.
    public let capabilities: Capabilities
    /// The origin of the leaf.
    public var source: LeafNodeSource { compactSource.source }
    /// The leaf's extensions.
    public let extensions: [Extension]
    /// The member's signature over all other fields. In a leaf from an update or commit, the signature also covers the group's
    /// identifier and the leaf's index.
    public let signature: [UInt8]

    private let compactSource: CompactSource

    /// The group's identifier and the leaf's index. The signature of a leaf from an update or commit covers this place.
    struct Place: Sendable {
        let groupID: [UInt8]
        let leafIndex: LeafIndex
    }

    /// Creates and signs a leaf.
    init(
        _ template: LeafTemplate, encryptionKey: HPKEPublicKey, source: LeafNodeSource, place: Place? = nil
    ) throws(MLSError) {
        let (credential, capabilities, extensions) = (template.credential, template.capabilities, template.extensions)
        let signer = template.signer
        // Only the creator of a leaf has to keep default types out of the capabilities. Readers accept a leaf that lists
        // default types, because a refusal would gain nothing.
        guard capabilities.extensions.allSatisfy({ !$0.isDefault }),
            capabilities.proposals.allSatisfy({ !$0.isDefault })
        else { throw .leafNode(.defaultTypeInCapabilities) }
        guard extensions.count <= Limits.extensions, credential.isReadable else { throw .usage(.tooLarge) }
        self.encryptionKey = encryptionKey
        self.signatureKey = signer.publicKey
        self.credential = credential
        self.capabilities = capabilities
        compactSource = CompactSource(source)
        self.extensions = extensions
        let unsigned = LeafNode(
            encryptionKey: encryptionKey, signatureKey: signer.publicKey, credential: credential,
            capabilities: capabilities, source: source, extensions: extensions, signature: [])
        signature = try signer.signWithLabel("LeafNodeTBS", unsigned.toBeSigned(place))
    }

    init(
        encryptionKey: HPKEPublicKey, signatureKey: SignaturePublicKey, credential: Credential,
        capabilities: Capabilities, source: LeafNodeSource, extensions: [Extension], signature: [UInt8]
    ) {
        self.encryptionKey = encryptionKey
        self.signatureKey = signatureKey
        self.credential = credential
        self.capabilities = capabilities
        compactSource = CompactSource(source)
        self.extensions = extensions
        self.signature = signature
    }

    /// Reads a leaf node.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        var cache = CapabilitiesCache()
        try self.init(from: &reader, sharing: &cache)
    }

    /// Reads a leaf node. If equal capabilities were read before, the leaf shares the storage of those capabilities. Most
    /// members of a group have equal capabilities, so shared storage saves memory.
    init(from reader: inout TLSReader, sharing cache: inout CapabilitiesCache) throws(TLSCodecError) {
        encryptionKey = try reader.read()
        signatureKey = try reader.read()
        credential = try reader.read()
        capabilities = try cache.read(&reader)
        switch try reader.readUInt8() {
        case 1: compactSource = .keyPackage(try reader.read())
        case 2: compactSource = .update
        case 3: compactSource = .commit(ShortBytes(try reader.readOpaque(limit: Limits.hashLength)))
        case let other: throw .unknownValue(field: "leaf_node_source", value: UInt64(other))
        }
        extensions = try reader.readExtensions()
        signature = Array(try reader.readOpaque(limit: Limits.signatureLength))
    }

    /// Writes the leaf node.
    public func encode(into writer: inout TLSWriter) {
        encodeUnsigned(into: &writer)
        writer.writeOpaque(signature)
    }

    private func encodeUnsigned(into writer: inout TLSWriter) {
        writer.write(encryptionKey)
        writer.write(signatureKey)
        writer.write(credential)
        writer.write(capabilities)
        switch compactSource {
        case .keyPackage(let lifetime):
            writer.write(UInt8(1))
            writer.write(lifetime)
        case .update:
            writer.write(UInt8(2))
        case .commit(let parentHash):
            writer.write(UInt8(3))
            parentHash.encodeOpaque(into: &writer)
        }
        writer.writeVector(extensions)
    }

    /// `LeafNodeTBS` (§7.2): the fields, and the place if the leaf is from an update or a commit.
    private func toBeSigned(_ place: Place?) -> [UInt8] {
        var writer = TLSWriter(capacity: 512)
        encodeUnsigned(into: &writer)
        switch source {
        case .keyPackage: break
        case .update, .commit:
            writer.writeOpaque(place?.groupID ?? [])
            writer.write(place?.leafIndex ?? LeafIndex(rawValue: .max))
        }
        return writer.bytes
    }

    /// Whether the signature is valid for the place of the leaf (§7.3).
    func isSignatureValid(_ place: Place?, _ scheme: SignatureScheme) -> Bool {
        scheme.verifyWithLabel(signature, "LeafNodeTBS", toBeSigned(place), signatureKey)
    }

    /// The leaf's parent hash; nil if the leaf is not from a commit.
    var parentHash: [UInt8]? {
        if case .commit(let hash) = compactSource { hash.array } else { nil }
    }
}

/// The stored form of a leaf's source.
private enum CompactSource: Hashable, Sendable {
    case keyPackage(Lifetime)
    case update
    case commit(ShortBytes)

    init(_ source: LeafNodeSource) {
        self =
            switch source {
            case .keyPackage(let lifetime): .keyPackage(lifetime)
            case .update: .update
            case .commit(let parentHash): .commit(ShortBytes(parentHash))
            }
    }

    var source: LeafNodeSource {
        switch self {
        case .keyPackage(let lifetime): .keyPackage(lifetime)
        case .update: .update
        case .commit(let parentHash): .commit(parentHash: parentHash.array)
        }
    }
}

/// The capabilities that were already read. Leaves with equal capabilities share their storage.
struct CapabilitiesCache {
    private var known: [ArraySlice<UInt8>: Capabilities] = [:]

    mutating func read(_ reader: inout TLSReader) throws(TLSCodecError) -> Capabilities {
        let (_, encoded) = try reader.capturing { (reader) throws(TLSCodecError) in
            try Capabilities.skip(&reader)
        }
        // Equal bytes decode to equal capabilities.
        if let value = known[encoded] { return value }
        var again = TLSReader(encoded)
        let value = try Capabilities(from: &again)
        known[encoded] = value
        return value
    }
}
