extension KeyPackage {
    /// Encrypts an application's own data to the package's init key, with `EncryptWithLabel` (RFC 9420 §5.1.3). For example, a
    /// Welcome can be accompanied by encrypted data for the new member. The label must begin with the application's name. A
    /// ciphertext with an application's label never counts as a ciphertext of MLS itself. Verify the package before the call.
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)`` or ``MLSError/crypto(_:)``.
    public func encrypt(
        _ plaintext: [UInt8], label: StaticString, context: [UInt8], random: RandomSource = .system
    ) throws(MLSError) -> HPKECiphertext {
        try cipherSuite.requireAlgorithms().encryptWithLabel(to: initKey, label, context: context, plaintext, random)
    }
}

extension KeyPackageBundle {
    /// Decrypts a ciphertext from ``KeyPackage/encrypt(_:label:context:random:)`` with `DecryptWithLabel` (RFC 9420 §5.1.3).
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)`` or ``MLSError/crypto(_:)``.
    public func decrypt(
        _ sealed: HPKECiphertext, label: StaticString, context: [UInt8]
    ) throws(MLSError) -> SecretBytes {
        try keyPackage.cipherSuite.requireAlgorithms().decryptWithLabel(sealed, key: initKey, label, context: context)
    }
}

extension LeafNode {
    /// Encrypts an application's own data to a member's leaf, with `EncryptWithLabel` (RFC 9420 §5.1.3). Only the member can
    /// decrypt the data, and only in epochs in which the leaf has the same key. The label must begin with the application's
    /// name. `suite` must be the group's cipher suite.
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)`` or ``MLSError/crypto(_:)``.
    public func encrypt(
        _ plaintext: [UInt8], label: StaticString, context: [UInt8], suite: CipherSuite, random: RandomSource = .system
    ) throws(MLSError) -> HPKECiphertext {
        try suite.requireAlgorithms().encryptWithLabel(to: encryptionKey, label, context: context, plaintext, random)
    }
}

extension Group {
    /// Decrypts a ciphertext from ``LeafNode/encrypt(_:label:context:suite:random:)`` with the key of this member's leaf in the
    /// current epoch.
    ///
    /// - Throws: ``MLSError/crypto(_:)``.
    public func decrypt(
        _ sealed: HPKECiphertext, label: StaticString, context: [UInt8]
    ) throws(MLSError) -> SecretBytes {
        guard let key = privateKeys[TreeMath.node(ownLeafIndex)] else { throw .internalError }
        return try algorithms.decryptWithLabel(sealed, key: key, label, context: context)
    }
}
