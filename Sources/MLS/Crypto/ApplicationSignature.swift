extension SignaturePrivateKey {
    /// `SignWithLabel` (RFC 9420 §5.1.2) for an application's own purposes. The label must begin with a name of the
    /// application, as none of MLS's labels does: that keeps the signature from being taken for one of MLS.
    ///
    /// - Parameters:
    ///   - label: the purpose, for instance `Kith Record`.
    ///   - content: the bytes to sign.
    /// - Returns: the signature, in the form of the key's scheme.
    /// - Throws: ``MLSError/crypto(_:)``.
    public func sign(label: StaticString, _ content: [UInt8]) throws(MLSError) -> [UInt8] {
        try signWithLabel(label, content)
    }
}

extension SignaturePublicKey {
    /// `VerifyWithLabel` (RFC 9420 §5.1.2) for a signature by ``SignaturePrivateKey/sign(label:_:)``.
    ///
    /// - Parameters:
    ///   - signature: the bytes that claim to be a signature.
    ///   - label: the purpose that the signer gave.
    ///   - content: the bytes that were signed.
    ///   - suite: the suite whose scheme the key is for; a suite that is not supported verifies nothing.
    public func verifies(
        _ signature: [UInt8], label: StaticString, _ content: [UInt8], suite: CipherSuite
    ) -> Bool {
        suite.algorithms?.signature.verifyWithLabel(signature, label, content, self) ?? false
    }
}
