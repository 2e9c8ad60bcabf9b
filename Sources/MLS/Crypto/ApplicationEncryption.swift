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
