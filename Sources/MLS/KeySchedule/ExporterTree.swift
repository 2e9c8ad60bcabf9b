/// The safe exporter: one secret per application component and epoch, gone once it was taken
/// (draft-ietf-mls-extensions §"Exported Secrets").
struct ExporterTree: Sendable {
    /// One leaf per component identifier.
    private static let size = 1 << 16
    private var tree: DerivationTree
    /// Whether the tree changed since that was last asked; true for a new one, which has not been stored.
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

    /// Forgets all secrets: none can be taken any more.
    mutating func removeAll() {
        tree = DerivationTree(secrets: [:], size: Self.size)
        hasChanged = true
    }

    var secrets: [Int: SecretBytes] { tree.secrets }

    /// `SafeExportSecret(ComponentID)`; nil if it was taken before.
    mutating func take(_ component: ComponentID, _ hash: HashAlgorithm) -> SecretBytes? {
        guard let derived = tree.derive(LeafIndex(rawValue: UInt32(component.rawValue)), hash) else { return nil }
        tree.apply(removed: derived.removed, added: derived.added)
        hasChanged = true
        return derived.secret
    }
}
