extension SignaturePrivateKey {
    /// Signs content with `SignWithLabel` (RFC 9420 §5.1.2), for an application's own purposes. The label must begin with the
    /// application's name. MLS's labels do not, so the signature cannot be taken for one of MLS.
    ///
    /// - Parameters:
    ///   - label: the purpose of the signature, for example `Kith Record`.
    ///   - content: the bytes to sign.
    /// - Returns: the signature, encoded as the key's signature scheme requires.
    /// - Throws: ``MLSError/crypto(_:)``.
    public func sign(label: StaticString, _ content: [UInt8]) throws(MLSError) -> [UInt8] {
        try signWithLabel(label, content)
    }
}

extension SignaturePublicKey {
    /// Verifies, with `VerifyWithLabel` (RFC 9420 §5.1.2), a signature by ``SignaturePrivateKey/sign(label:_:)``.
    ///
    /// - Parameters:
    ///   - signature: the bytes of the claimed signature.
    ///   - label: the purpose that the signer used.
    ///   - content: the bytes that were signed.
    ///   - suite: the suite to whose scheme the key belongs. If it is not supported, no signature is valid.
    public func verifies(
        _ signature: [UInt8], label: StaticString, _ content: [UInt8], suite: CipherSuite
    ) -> Bool {
        suite.algorithms?.signature.verifyWithLabel(signature, label, content, self) ?? false
    }
}
