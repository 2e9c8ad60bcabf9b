extension KeyPackage {
    /// `EncryptWithLabel` (RFC 9420 §5.1.3) to the package's init key, for an application's own purposes, such as data that
    /// goes with a Welcome and is for the new member alone. The label must begin with a name of the application, as none of
    /// MLS's labels does: that keeps the ciphertext from being taken for a part of MLS. Verify the package before.
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``, ``MLSError/crypto(_:)``.
    public func encrypt(
        _ plaintext: [UInt8], label: StaticString, context: [UInt8], random: RandomSource = .system
    ) throws(MLSError) -> HPKECiphertext {
        try cipherSuite.requireAlgorithms().encryptWithLabel(to: initKey, label, context: context, plaintext, random)
    }
}

extension KeyPackageBundle {
    /// `DecryptWithLabel` (RFC 9420 §5.1.3) of the result of ``KeyPackage/encrypt(_:label:context:random:)``.
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``, ``MLSError/crypto(_:)``.
    public func decrypt(
        _ sealed: HPKECiphertext, label: StaticString, context: [UInt8]
    ) throws(MLSError) -> SecretBytes {
        try keyPackage.cipherSuite.requireAlgorithms().decryptWithLabel(sealed, key: initKey, label, context: context)
    }
}
