import TLSCodec

/// `struct { ProposalOrRef proposals<V>; optional<UpdatePath> path; } Commit;` (RFC 9420 §12.4)
package struct Commit: Hashable, Sendable, TLSCodable {
    /// The changes, in the committer's order.
    package let proposals: [ProposalOrRef]
    /// New keys for the committer's path; nil if the commit has no path.
    package let path: UpdatePath?

    /// Creates a commit from its two fields.
    init(proposals: [ProposalOrRef], path: UpdatePath?) {
        self.proposals = proposals
        self.path = path
    }

    /// Reads the two fields.
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        proposals = try reader.readVector(maximumCount: Limits.proposals)
        path = try reader.readOptional()
    }

    /// Writes the two fields.
    package func encode(into writer: inout TLSWriter) {
        writer.writeVector(proposals)
        writer.writeOptional(path)
    }
}

/// `struct { LeafNode leaf_node; UpdatePathNode nodes<V>; } UpdatePath;` (RFC 9420 §7.6)
package struct UpdatePath: Hashable, Sendable, TLSCodable {
    /// The committer's new leaf.
    package let leafNode: LeafNode
    /// The new nodes of the committer's filtered direct path, from the leaf to the root.
    package let nodes: [UpdatePathNode]

    init(leafNode: LeafNode, nodes: [UpdatePathNode]) {
        self.leafNode = leafNode
        self.nodes = nodes
    }

    /// Reads the two fields.
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        leafNode = try reader.read()
        nodes = try reader.readVector(maximumCount: Limits.pathNodes)
    }

    /// Writes the two fields.
    package func encode(into writer: inout TLSWriter) {
        writer.write(leafNode)
        writer.writeVector(nodes)
    }
}

/// `struct { HPKEPublicKey encryption_key; HPKECiphertext encrypted_path_secret<V>; } UpdatePathNode;` (RFC 9420 §7.6)
package struct UpdatePathNode: Hashable, Sendable, TLSCodable {
    /// The node's new key.
    package let encryptionKey: HPKEPublicKey
    /// The encoded content of `encrypted_path_secret`. In a large group, this content has many ciphertexts, and a member opens
    /// only one of them. Decoded ciphertexts take many times the memory of the encoded form. The ciphertexts stay encoded, so
    /// that an unverified commit takes little memory.
    private let encodedSecrets: [UInt8]
    /// The number of ciphertexts. A valid commit has one ciphertext for each node in the resolution of the copath.
    let secretCount: Int

    init(encryptionKey: HPKEPublicKey, encryptedPathSecrets: [HPKECiphertext]) {
        self.encryptionKey = encryptionKey
        var writer = TLSWriter(
            capacity: encryptedPathSecrets.reduce(0) { $0 + $1.kemOutput.count + $1.ciphertext.count + 8 })
        for secret in encryptedPathSecrets { writer.write(secret) }
        encodedSecrets = writer.bytes
        secretCount = encryptedPathSecrets.count
    }

    /// The node's path secret, encrypted to each node in the resolution of the copath.
    package var encryptedPathSecrets: [HPKECiphertext] {
        var reader = TLSReader(encodedSecrets)
        return (0..<secretCount).compactMap { _ in try? reader.read() }
    }

    /// Returns the ciphertext of the path secret for one node; nil if no ciphertext has the position `index`. `index` is the
    /// node's position in the resolution of the copath.
    func encryptedPathSecret(at index: Int) -> HPKECiphertext? {
        var reader = TLSReader(encodedSecrets)
        for _ in 0..<index { guard (try? Self.skipSecret(&reader)) != nil else { return nil } }
        return try? reader.read()
    }

    private static func skipSecret(_ reader: inout TLSReader) throws(TLSCodecError) {
        _ = try reader.readOpaque()
        _ = try reader.readOpaque()
    }

    /// Reads the two fields.
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        encryptionKey = try reader.read()
        let content = try reader.readOpaque()
        var nested = TLSReader(content)
        var count = 0
        while !nested.isAtEnd {
            try Self.skipSecret(&nested)
            count += 1
        }
        encodedSecrets = Array(content)
        secretCount = count
    }

    /// Writes the two fields.
    package func encode(into writer: inout TLSWriter) {
        writer.write(encryptionKey)
        writer.writeOpaque(encodedSecrets)
    }
}
