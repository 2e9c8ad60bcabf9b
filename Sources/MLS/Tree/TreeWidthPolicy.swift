/// Bounds the number of leaves of a received tree by the number of members. The policy limits the cost of blank nodes.
///
/// A blank node takes one byte in a `ratchet_tree`, but the receiver must hash the node. Even an honest group can have many
/// blank nodes. A tree shrinks only while its right half is blank (RFC 9420 §7.7). A single member far to the right keeps a
/// formerly large tree wide.
///
/// A policy has two bounds. A tree with at most ``leaves`` leaves is always allowed. A wider tree may have at most
/// ``leavesPerMember`` leaves per member.
public struct TreeWidthPolicy: Hashable, Sendable {
    /// Number of leaves that is always allowed, even with few members.
    public var leaves: Int
    /// Maximum number of leaves per member, for a tree with more than ``leaves`` leaves.
    public var leavesPerMember: Int

    /// Creates a policy from its two bounds.
    public init(leaves: Int, leavesPerMember: Int) {
        self.leaves = leaves
        self.leavesPerMember = leavesPerMember
    }

    /// The policy for groups that the application trusts, for example groups of a known inviter.
    public static let ordinary = TreeWidthPolicy(
        leaves: Limits.sparseLeaves, leavesPerMember: Limits.leavesPerMember)
    /// The policy for groups of strangers.
    public static let strict = TreeWidthPolicy(
        leaves: Limits.strictSparseLeaves, leavesPerMember: Limits.strictLeavesPerMember)

    /// Whether the policy allows a tree with the given numbers of leaves and members. `leaves` includes blank leaves.
    public func allows(leaves: Int, members: Int) -> Bool {
        guard leaves > self.leaves else { return true }
        return (leaves - 1) / max(1, leavesPerMember) < members
    }
}
