/// The safe exporter (draft-ietf-mls-extensions §"Exported Secrets"). The exporter has one secret per application component and
/// epoch. A secret is deleted when it is taken.
struct ExporterTree: Sendable {
    /// Number of leaves, one for each possible component identifier.
    private static let size = 1 << 16
    private var tree: DerivationTree
    /// Whether the tree has changed since the last call of `takeChange()`. True for a new tree, which has not been stored yet.
    private var hasChanged: Bool

    init(root: SecretBytes) {
        tree = DerivationTree(root: root, size: Self.size)
        hasChanged = true
    }

    init(secrets: [Int: SecretBytes]) {
        tree = DerivationTree(secrets: secrets, size: Self.size)
        hasChanged = false
    }

    mutating func takeChange() -> Bool {
        defer { hasChanged = false }
        return hasChanged
    }

    /// Deletes all secrets. Afterwards, no secret can be taken.
    mutating func removeAll() {
        tree = DerivationTree(secrets: [:], size: Self.size)
        hasChanged = true
    }

    var secrets: [Int: SecretBytes] { tree.secrets }

    /// `SafeExportSecret(ComponentID)`; nil if the secret was taken before.
    mutating func take(_ component: ComponentID, _ hash: HashAlgorithm) -> SecretBytes? {
        guard let derived = tree.derive(LeafIndex(rawValue: UInt32(component.rawValue)), hash) else { return nil }
        tree.apply(removed: derived.removed, added: derived.added)
        hasChanged = true
        return derived.secret
    }
}
