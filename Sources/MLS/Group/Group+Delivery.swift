extension Group {
    /// The number of a member's application messages of this epoch that were skipped and have not arrived, as far as their
    /// keys are still kept (RFC 9420 §9.2, §15.3). An application can tell its user that these messages are missing.
    public func missingMessages(from leaf: LeafIndex) -> Int {
        secretTree.skippedCount(leaf, .application)
    }
}

extension Welcome {
    /// The same Welcome for one recipient alone, without the secrets of the others, for delivery services that carry one to
    /// each recipient (RFC 9420 §12.4.3.1 allows any number of Welcome messages for a commit).
    ///
    /// - Returns: nil if it is not for that key package.
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``.
    public func only(for keyPackage: KeyPackage) throws(MLSError) -> Welcome? {
        let reference = try keyPackage.reference()
        guard let secret = secrets.first(where: { $0.newMember == reference }) else { return nil }
        return Welcome(cipherSuite: cipherSuite, secrets: [secret], encryptedGroupInfo: encryptedGroupInfo)
    }
}
