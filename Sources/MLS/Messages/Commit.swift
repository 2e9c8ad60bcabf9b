import TLSCodec

/// `struct { ProposalOrRef proposals<V>; optional<UpdatePath> path; } Commit;` (RFC 9420 §12.4)
public struct Commit: Hashable, Sendable, TLSCodable {
    /// The changes, in the order they were listed.
    public let proposals: [ProposalOrRef]
    /// New keys for the committer's path.
    public let path: UpdatePath?

    /// Takes the two fields.
    init(proposals: [ProposalOrRef], path: UpdatePath?) {
        self.proposals = proposals
        self.path = path
    }

    /// Reads the two fields.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        proposals = try reader.readVector()
        path = try reader.readOptional()
    }

    /// Writes the two fields.
    public func encode(into writer: inout TLSWriter) {
        writer.writeVector(proposals)
        writer.writeOptional(path)
    }
}

/// `struct { LeafNode leaf_node; UpdatePathNode nodes<V>; } UpdatePath;` (RFC 9420 §7.6)
public struct UpdatePath: Hashable, Sendable, TLSCodable {
    /// The committer's new leaf.
    public let leafNode: LeafNode
    /// One node for each of the committer's filtered direct path, from the leaf to the root.
    public let nodes: [UpdatePathNode]

    init(leafNode: LeafNode, nodes: [UpdatePathNode]) {
        self.leafNode = leafNode
        self.nodes = nodes
    }

    /// Reads the two fields.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        leafNode = try reader.read()
        nodes = try reader.readVector()
    }

    /// Writes the two fields.
    public func encode(into writer: inout TLSWriter) {
        writer.write(leafNode)
        writer.writeVector(nodes)
    }
}

/// `struct { HPKEPublicKey encryption_key; HPKECiphertext encrypted_path_secret<V>; } UpdatePathNode;` (RFC 9420 §7.6)
public struct UpdatePathNode: Hashable, Sendable, TLSCodable {
    /// The node's new key.
    public let encryptionKey: HPKEPublicKey
    /// The node's path secret, for each node of the copath's resolution.
    public let encryptedPathSecrets: [HPKECiphertext]

    init(encryptionKey: HPKEPublicKey, encryptedPathSecrets: [HPKECiphertext]) {
        self.encryptionKey = encryptionKey
        self.encryptedPathSecrets = encryptedPathSecrets
    }

    /// Reads the two fields.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        encryptionKey = try reader.read()
        encryptedPathSecrets = try reader.readVector()
    }

    /// Writes the two fields.
    public func encode(into writer: inout TLSWriter) {
        writer.write(encryptionKey)
        writer.writeVector(encryptedPathSecrets)
    }
}
