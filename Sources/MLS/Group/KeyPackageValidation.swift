/// A key package that has passed all checks of RFC 9420 §10.1 for a group's parameters.
struct VerifiedKeyPackage: Sendable {
    let keyPackage: KeyPackage
    var leafNode: LeafNode { keyPackage.leafNode }

    private init(keyPackage: KeyPackage) { self.keyPackage = keyPackage }

    /// Makes all checks of a key package (§10.1) that need no other member. The caller must check that the keys are unique among
    /// the members.
    static func verify(
        _ keyPackage: KeyPackage, _ rules: LeafNodeRules, _ environment: MLSEnvironment
    ) throws(MLSError) -> VerifiedKeyPackage {
        try validate(keyPackage, rules, environment)
        try verifySignatures(keyPackage)
        return VerifiedKeyPackage(keyPackage: keyPackage)
    }

    /// Checks the key packages that a commit adds. Verifies signatures on all cores. If the commit refers to a received Add
    /// proposal, the proposal's signatures were already verified on receipt. For a received Add proposal, the committer skips
    /// only the check of signatures, and receivers skip only the checks of signatures and lifetime. The rules of the group are
    /// checked again, because the group's parameters may have changed after the proposal arrived, even by the commit itself.
    static func verify(
        _ added: [(keyPackage: KeyPackage, isByReference: Bool)], _ rules: LeafNodeRules, _ environment: MLSEnvironment
    ) throws(MLSError) -> [VerifiedKeyPackage] {
        for item in added {
            var rules = rules
            // Members read a commit at different times. If a lifetime has ended since the proposal arrived, they must not
            // disagree about the commit.
            if item.isByReference, !rules.isSending { rules.checksLifetimes = false }
            try validate(item.keyPackage, rules, environment)
        }
        return try parallelMap(added) { (item) throws(MLSError) in
            if !item.isByReference { try verifySignatures(item.keyPackage) }
            return VerifiedKeyPackage(keyPackage: item.keyPackage)
        }
    }

    private static func validate(
        _ keyPackage: KeyPackage, _ rules: LeafNodeRules, _ environment: MLSEnvironment
    ) throws(MLSError) {
        guard keyPackage.version == .mls10 else { throw .keyPackage(.version) }
        guard keyPackage.cipherSuite == rules.suite else { throw .keyPackage(.cipherSuite) }
        guard !keyPackage.extensions.hasDuplicates else { throw .keyPackage(.duplicateExtension) }
        guard keyPackage.initKey != keyPackage.leafNode.encryptionKey else {
            throw .keyPackage(.initKeyIsEncryptionKey)
        }
        try keyPackage.leafNode.validate(.keyPackage, rules, environment)
    }

    private static func verifySignatures(_ keyPackage: KeyPackage) throws(MLSError) {
        let algorithms = try keyPackage.cipherSuite.requireAlgorithms()
        try algorithms.kem.validate(keyPackage.initKey)
        guard keyPackage.leafNode.isSignatureValid(nil, algorithms.signature) else { throw .leafNode(.signature) }
        let key = keyPackage.leafNode.signatureKey
        guard
            algorithms.signature.verifyWithLabel(
                keyPackage.signature, "KeyPackageTBS", keyPackage.toBeSigned, key)
        else { throw .keyPackage(.signature) }
    }
}

extension KeyPackage {
    /// Checks a key package before its use (§10.1), for a group with the given extensions.
    ///
    /// - Throws: ``MLSError/keyPackage(_:)`` or ``MLSError/leafNode(_:)``. Each error names the broken rule.
    public func verify(
        groupExtensions: [Extension] = [], in environment: MLSEnvironment
    ) throws(MLSError) {
        let rules = try LeafNodeRules(suite: cipherSuite, extensions: groupExtensions, isSending: true)
        _ = try VerifiedKeyPackage.verify(self, rules, environment)
    }
}
