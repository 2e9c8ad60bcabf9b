extension Group {
    /// Counts one member's application messages of this epoch that were skipped and have not arrived yet (RFC 9420 §9.2, §15.3).
    /// Only messages whose keys are still stored are counted. An application can tell its user that these messages are missing.
    public func missingMessages(from leaf: LeafIndex) -> Int {
        secretTree.skippedCount(leaf, .application)
    }
}

extension Welcome {
    /// Returns a copy of this Welcome for one recipient, without the secrets of the other recipients. It is for applications that
    /// deliver a Welcome to each recipient separately. RFC 9420 §12.4.3.1 allows any number of Welcome messages for a commit.
    ///
    /// - Returns: the copy; nil if this Welcome is not for the key package.
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``.
    public func only(for keyPackage: KeyPackage) throws(MLSError) -> Welcome? {
        let reference = try keyPackage.reference()
        guard let secret = secrets.first(where: { $0.newMember == reference }) else { return nil }
        return Welcome(cipherSuite: cipherSuite, secrets: [secret], encryptedGroupInfo: encryptedGroupInfo)
    }
}
