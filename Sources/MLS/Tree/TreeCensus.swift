/// The number of leaves with each feature. Every change of a leaf updates the numbers. With the census, a rule for all members is
/// checked without a visit to every leaf (RFC 9420 §7.3, §11.1, §13).
struct TreeCensus: Sendable {
    private(set) var members = 0
    private var credentialsInUse: [CredentialType: Int] = [:]
    private var credentialSupport: [CredentialType: Int] = [:]
    private var extensionSupport: [ExtensionType: Int] = [:]
    private var proposalSupport: [ProposalType: Int] = [:]

    mutating func add(_ leaf: LeafNode) { count(leaf, 1) }
    mutating func remove(_ leaf: LeafNode) { count(leaf, -1) }

    private mutating func count(_ leaf: LeafNode, _ step: Int) {
        members += step
        Self.count(leaf.credential.type, step, &credentialsInUse)
        Self.count(leaf.capabilities.credentials, step, &credentialSupport)
        Self.count(leaf.capabilities.extensions, step, &extensionSupport)
        Self.count(leaf.capabilities.proposals, step, &proposalSupport)
    }

    private static func count<Key: Hashable>(_ key: Key, _ step: Int, _ counts: inout [Key: Int]) {
        let new = counts[key, default: 0] + step
        counts[key] = new == 0 ? nil : new
    }

    /// Adds `step` to the count of each value in a list. A repeated value counts once. Only a list of more than 16 values is
    /// converted to a set.
    private static func count<Key: Hashable>(_ keys: [Key], _ step: Int, _ counts: inout [Key: Int]) {
        guard keys.count <= 16 else {
            for key in Set(keys) { count(key, step, &counts) }
            return
        }
        for (index, key) in keys.enumerated() where !keys[..<index].contains(key) { count(key, step, &counts) }
    }

    func allSupport(_ type: CredentialType) -> Bool { credentialSupport[type, default: 0] == members }
    func allSupport(_ type: ExtensionType) -> Bool { type.isDefault || extensionSupport[type, default: 0] == members }
    func allSupport(_ type: ProposalType) -> Bool { type.isDefault || proposalSupport[type, default: 0] == members }

    /// The types of the members' credentials.
    var usedCredentialTypes: some Collection<CredentialType> { credentialsInUse.keys }

    func allSatisfy(_ required: RequiredCapabilities) -> Bool {
        required.extensions.allSatisfy { allSupport($0) } && required.proposals.allSatisfy { allSupport($0) }
            && required.credentials.allSatisfy { allSupport($0) }
    }
}
