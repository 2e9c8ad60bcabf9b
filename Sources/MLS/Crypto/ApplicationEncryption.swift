extension KeyPackage {
    /// Encrypts to the package's init key with `EncryptWithLabel` (RFC 9420 §5.1.3), for an application's own purposes. An
    /// example is data that is sent with a Welcome and only for the new member. The label must begin with the application's name.
    /// MLS's labels do not, so the ciphertext cannot be taken for a part of MLS. Verify the package before the call.
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)`` or ``MLSError/crypto(_:)``.
    public func encrypt(
        _ plaintext: [UInt8], label: StaticString, context: [UInt8], random: RandomSource = .system
    ) throws(MLSError) -> HPKECiphertext {
        try cipherSuite.requireAlgorithms().encryptWithLabel(to: initKey, label, context: context, plaintext, random)
    }
}

extension KeyPackageBundle {
    /// Decrypts, with `DecryptWithLabel` (RFC 9420 §5.1.3), a ciphertext from ``KeyPackage/encrypt(_:label:context:random:)``.
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)`` or ``MLSError/crypto(_:)``.
    public func decrypt(
        _ sealed: HPKECiphertext, label: StaticString, context: [UInt8]
    ) throws(MLSError) -> SecretBytes {
        try keyPackage.cipherSuite.requireAlgorithms().decryptWithLabel(sealed, key: initKey, label, context: context)
    }
}
