import TLSCodec

/// `struct { HPKEPublicKey encryption_key; opaque parent_hash<V>; uint32 unmerged_leaves<V>; } ParentNode;`
/// (RFC 9420 §7.1)
struct ParentNode: Hashable, Sendable, TLSCodable {
    let encryptionKey: HPKEPublicKey
    private var compactParentHash: ShortBytes
    /// The unmerged leaves, in ascending order.
    var unmergedLeaves: [LeafIndex]

    var parentHash: [UInt8] {
        get { compactParentHash.array }
        set { compactParentHash = ShortBytes(newValue) }
    }

    init(encryptionKey: HPKEPublicKey, parentHash: [UInt8], unmergedLeaves: [LeafIndex]) {
        self.encryptionKey = encryptionKey
        compactParentHash = ShortBytes(parentHash)
        self.unmergedLeaves = unmergedLeaves
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        encryptionKey = try reader.read()
        compactParentHash = ShortBytes(try reader.readOpaque(limit: Limits.hashLength))
        unmergedLeaves = try reader.readVector()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(encryptionKey)
        compactParentHash.encodeOpaque(into: &writer)
        writer.writeVector(unmergedLeaves)
    }
}

/// A node that is not blank (RFC 9420 §4.1.1, §12.4.3.3). Each node has its own storage, which copies of a tree share.
indirect enum Node: Hashable, Sendable {
    case leaf(LeafNode)
    case parent(ParentNode)

    var encryptionKey: HPKEPublicKey {
        switch self {
        case .leaf(let leaf): leaf.encryptionKey
        case .parent(let parent): parent.encryptionKey
        }
    }

    /// The node's parent hash; nil for a leaf that is not from a commit.
    var parentHash: [UInt8]? {
        switch self {
        case .leaf(let leaf): leaf.parentHash
        case .parent(let parent): parent.parentHash
        }
    }

    init(from reader: inout TLSReader, sharing cache: inout CapabilitiesCache) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 1: self = .leaf(try LeafNode(from: &reader, sharing: &cache))
        case 2: self = .parent(try reader.read())
        case let other: throw .unknownValue(field: "node_type", value: UInt64(other))
        }
    }

    func encode(into writer: inout TLSWriter) {
        switch self {
        case .leaf(let leaf):
            writer.write(UInt8(1))
            writer.write(leaf)
        case .parent(let parent):
            writer.write(UInt8(2))
            writer.write(parent)
        }
    }
}
