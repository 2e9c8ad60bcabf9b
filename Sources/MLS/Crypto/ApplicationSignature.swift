extension SignaturePrivateKey {
    /// Signs an application's own content with `SignWithLabel` (RFC 9420 §5.1.2). The label must begin with the application's
    /// name. A signature with an application's label never counts as a signature of MLS itself.
    ///
    /// - Parameters:
    ///   - label: the purpose of the signature, for example `Kith Record`.
    ///   - content: the bytes to sign.
    /// - Returns: the signature, in the encoding of the key's signature scheme.
    /// - Throws: ``MLSError/crypto(_:)``.
    public func sign(label: StaticString, _ content: [UInt8]) throws(MLSError) -> [UInt8] {
        try signWithLabel(label, content)
    }
}

extension SignaturePublicKey {
    /// Verifies a signature by ``SignaturePrivateKey/sign(label:_:)`` with `VerifyWithLabel` (RFC 9420 §5.1.2).
    ///
    /// - Parameters:
    ///   - signature: the bytes of the claimed signature.
    ///   - label: the purpose that the signer used.
    ///   - content: the bytes that were signed.
    ///   - suite: the suite of the key. If the suite is not supported, no signature is valid.
    public func verifies(
        _ signature: [UInt8], label: StaticString, _ content: [UInt8], suite: CipherSuite
    ) -> Bool {
        suite.algorithms?.signature.verifyWithLabel(signature, label, content, self) ?? false
    }
}
