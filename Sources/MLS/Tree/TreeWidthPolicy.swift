/// Bounds the number of leaves of a received tree by the number of its members, so that nobody can make a tree expensive with
/// blank nodes.
///
/// A blank node takes one byte in a `ratchet_tree`, but the receiver has to compute a hash for it. By RFC 9420, even an honest
/// group may have many blank nodes: the tree shrinks only while its right half is blank (§7.7), so one member far to the right
/// keeps the width of a formerly large group. Therefore a policy has two bounds: a fixed number of leaves that is allowed for
/// every tree, and a number of leaves per member that is allowed for a larger tree.
public struct TreeWidthPolicy: Hashable, Sendable {
    /// Number of leaves that every tree may have, even with few members.
    public var leaves: Int
    /// Maximum number of leaves per member in a tree with more leaves than ``leaves``.
    public var leavesPerMember: Int

    /// Creates a policy from its two bounds.
    public init(leaves: Int, leavesPerMember: Int) {
        self.leaves = leaves
        self.leavesPerMember = leavesPerMember
    }

    /// The policy for groups that the application has a reason to trust, such as those of a known inviter.
    public static let ordinary = TreeWidthPolicy(
        leaves: Limits.sparseLeaves, leavesPerMember: Limits.leavesPerMember)
    /// The policy for groups of strangers.
    public static let strict = TreeWidthPolicy(
        leaves: Limits.strictSparseLeaves, leavesPerMember: Limits.strictLeavesPerMember)

    /// Whether the policy allows a tree that has the given number of leaves, including blank ones, and the given number of
    /// members.
    public func allows(leaves: Int, members: Int) -> Bool {
        guard leaves > self.leaves else { return true }
        return (leaves - 1) / max(1, leavesPerMember) < members
    }
}
