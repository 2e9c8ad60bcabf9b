import TLSCodec

/// The role of a leaf node: part of a key package, an Update, a commit, or a received tree. Each role has its own rules (RFC 9420
/// §7.3).
enum LeafNodeRole {
    case keyPackage
    case update(replacing: LeafNode)
    case commit(replacing: LeafNode?)
    case tree
}

/// The parameters for checking a leaf.
struct LeafNodeRules {
    let suite: CipherSuite
    /// The types of the group context's extensions, without default types and without repetitions.
    let extensionTypes: [ExtensionType]
    /// The capabilities that the group requires, without repetitions; see ``RequiredCapabilities/distinct``.
    let required: RequiredCapabilities?
    /// Whether this client sends the leaf. The lifetime of a sent leaf is always checked.
    let isSending: Bool
    /// Whether the lifetime of a leaf from a key package is checked. False if the lifetime was already checked on receipt.
    var checksLifetimes = true

    init(suite: CipherSuite, extensions: [Extension], isSending: Bool) throws(MLSError) {
        self.suite = suite
        extensionTypes = Array(Set(extensions.lazy.map(\.type).filter { !$0.isDefault }))
        self.isSending = isSending
        required = try decoding { () throws(TLSCodecError) in try extensions.requiredCapabilities() }?.distinct
    }
}

extension LeafNode {
    /// Makes all checks of §7.3 that need neither a signature nor the other members.
    func validate(
        _ role: LeafNodeRole, _ rules: LeafNodeRules, _ environment: MLSEnvironment
    ) throws(MLSError) {
        try validateSource(role, rules, environment)
        guard !extensions.hasDuplicates else { throw .leafNode(.duplicateExtension) }
        guard capabilities.list(extensions) else { throw .leafNode(.extensionNotInCapabilities) }
        guard capabilities.supports(credential.type) else { throw .leafNode(.credentialTypeNotInCapabilities) }
        guard capabilities.versions.contains(.mls10), capabilities.cipherSuites.contains(rules.suite) else {
            throw .leafNode(.versionOrCipherSuiteUnsupported)
        }
        if let required = rules.required, !capabilities.satisfies(distinct: required) {
            throw .leafNode(.requiredCapability)
        }
        guard capabilities.extensions.containsAll(rules.extensionTypes) else {
            throw .leafNode(.groupExtensionUnsupported)
        }
        do { try rules.suite.requireAlgorithms().kem.validate(encryptionKey) } catch {
            throw .leafNode(.invalidEncryptionKey)
        }
        guard environment.authentication.isValid(credential, signatureKey: signatureKey, as: .member) else {
            throw .leafNode(.credential)
        }
    }

    private func validateSource(
        _ role: LeafNodeRole, _ rules: LeafNodeRules, _ environment: MLSEnvironment
    ) throws(MLSError) {
        switch (role, source) {
        case (.keyPackage, .keyPackage(let lifetime)), (.tree, .keyPackage(let lifetime)):
            let (length, underflow) = lifetime.notAfter.subtractingReportingOverflow(lifetime.notBefore)
            guard !underflow else { throw .leafNode(.lifetime) }
            guard length <= environment.configuration.maximumLifetime else { throw .leafNode(.lifetimeTooLong) }
            // A leaf in the tree may have expired since it was added, which is not its member's fault.
            if case .tree = role { return }
            if rules.checksLifetimes, rules.isSending || environment.configuration.checksReceivedLifetimes {
                guard lifetime.contains(environment.now) else { throw .leafNode(.lifetime) }
            }
        case (.update(let old), .update):
            guard encryptionKey != old.encryptionKey else { throw .leafNode(.encryptionKeyNotChanged) }
            try validateSuccessor(old, environment)
        case (.commit(let old), .commit):
            if let old {
                guard encryptionKey != old.encryptionKey else { throw .leafNode(.encryptionKeyNotChanged) }
                try validateSuccessor(old, environment)
            }
        case (.tree, _): return
        default: throw .leafNode(.source)
        }
    }

    private func validateSuccessor(_ old: LeafNode, _ environment: MLSEnvironment) throws(MLSError) {
        guard environment.authentication.isValidSuccessor(credential, of: old.credential) else {
            throw .leafNode(.notASuccessor)
        }
    }
}

extension Capabilities {
    /// Whether these capabilities contain the type of every extension in `carried` (§7.2, §10). An extension of a default type
    /// needs no entry in the capabilities. Callers ensure that no type occurs twice in `carried`.
    func list(_ carried: [Extension]) -> Bool {
        extensions.containsAll(carried.lazy.map(\.type).filter { !$0.isDefault })
    }
}

extension RatchetTree {
    /// Checks that a leaf's keys are new in the tree (§7.3). `old` is the leaf that `leaf` replaces. `leaf` may keep the
    /// signature key of `old`.
    func validateUniqueness(_ leaf: LeafNode, replacing old: LeafNode?) throws(MLSError) {
        guard !encryptionKeys.contains(leaf.encryptionKey.compact) else {
            throw .leafNode(.duplicateEncryptionKey)
        }
        guard leaf.signatureKey == old?.signatureKey || !signatureKeys.contains(leaf.signatureKey.compact) else {
            throw .leafNode(.duplicateSignatureKey)
        }
    }

    /// Checks that all members support every credential type in use (§7.3).
    func validateCredentialTypes() throws(MLSError) {
        for type in census.usedCredentialTypes where !census.allSupport(type) {
            throw .leafNode(.credentialTypeUnsupportedByMember)
        }
    }

    /// Checks that all members support the group's extensions and requirements (§11.1, §12.1.7, §13.4).
    func validateExtensions(_ extensions: [Extension], _ required: RequiredCapabilities?) throws(MLSError) {
        for item in extensions where !census.allSupport(item.type) { throw .proposals(.groupExtensionUnsupported) }
        if let required, !census.allSatisfy(required) { throw .proposals(.requiredCapabilities) }
    }
}
