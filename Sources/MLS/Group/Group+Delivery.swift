extension Group {
    /// Returns the number of a member's missing application messages in this epoch (RFC 9420 §9.2, §15.3). A skipped message
    /// counts as missing until it arrives, or until its key is deleted.
    public func missingMessages(from leaf: LeafIndex) -> Int {
        secretTree.skippedCount(leaf, .application)
    }
}

extension Welcome {
    /// Returns a copy of this Welcome for one recipient. The copy lacks the secrets of all other recipients. An application may
    /// deliver one copy to each recipient: RFC 9420 §12.4.3.1 allows any number of Welcome messages for a commit.
    ///
    /// - Returns: the copy; nil if this Welcome is not for the key package.
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``.
    public func only(for keyPackage: KeyPackage) throws(MLSError) -> Welcome? {
        let reference = try keyPackage.reference()
        guard let secret = secrets.first(where: { $0.newMember == reference }) else { return nil }
        return Welcome(cipherSuite: cipherSuite, secrets: [secret], encryptedGroupInfo: encryptedGroupInfo)
    }
}
