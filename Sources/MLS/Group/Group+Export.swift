extension Group {
    /// `MLS-Exporter(Label, Context, Length)` (RFC 9420 §8.5).
    ///
    /// - Parameters:
    ///   - label: the purpose of the secret.
    ///   - context: additional input on which the secret depends.
    ///   - length: the length of the secret in bytes, at least 1 and at most 255 times the hash length.
    /// - Throws: ``MLSError/usage(_:)`` if `length` is less than 1 or more than 255 times the hash length, or if this member
    ///   was removed.
    public func export(label: String, context: [UInt8] = [], length: Int) throws(MLSError) -> SecretBytes {
        guard status != .removed else { throw .usage(.groupInactive) }
        return try secrets.export(label: Array(label.utf8), context: context, length: length, algorithms.hash)
    }

    /// A value that only the members of this epoch know (§8.7). Members can compare the value over a separate channel. After this
    /// member was removed, the value has no use.
    public var epochAuthenticator: SecretBytes { secrets.epochAuthenticator }

    /// This epoch's resumption PSK (§8.6), for successors and branches of this group. After this member was removed, the PSK has
    /// no use.
    public var resumptionPSK: SecretBytes { secrets.resumptionPSK }

    /// Returns the secret of an application component. Each component's secret can be taken only once per epoch
    /// (draft-ietf-mls-extensions). Before using the secret, store the result of ``takeChangedRecords()``. After a restart, the
    /// stored records prevent taking the secret again.
    ///
    /// - Throws: ``MLSError/usage(_:)`` if the secret was taken before in this epoch.
    public mutating func takeExportedSecret(_ component: ComponentID) throws(MLSError) -> SecretBytes {
        guard let secret = exporterTree.take(component, algorithms.hash) else { throw .usage(.consumed) }
        return secret
    }

    /// Returns a signed description of the current epoch, for clients that join with an external commit (§12.4.3).
    public func groupInfo(
        includesRatchetTree: Bool = true, includesExternalPub: Bool = true, extensions: [Extension] = []
    ) throws(MLSError) -> MLSMessage {
        guard status != .removed else { throw .usage(.groupInactive) }
        return .groupInfo(
            try signedGroupInfo(
                includesRatchetTree: includesRatchetTree, includesExternalPub: includesExternalPub,
                extensions: extensions))
    }

    func signedGroupInfo(
        includesRatchetTree: Bool, includesExternalPub: Bool, extensions: [Extension]
    ) throws(MLSError) -> GroupInfo {
        // The GroupInfo gets GREASE of the same type as this member's leaf, if the leaf has any (§13.5).
        let grease = tree[ownLeafIndex]?.extensions.first { $0.type.isGREASE }
        var all = grease.map { extensions.greased($0.type) } ?? extensions
        if includesExternalPub {
            all.append(.externalPub(try secrets.externalKeyPair(algorithms.kem).publicKey))
        }
        if includesRatchetTree { all.append(Extension(type: .ratchetTree, data: tree.encoded)) }
        guard !all.hasDuplicates else { throw .joining(.duplicateExtension) }
        return try GroupInfo(
            groupContext: context, extensions: all, confirmationTag: confirmationTag, signer: ownLeafIndex, key: signer)
    }
}
