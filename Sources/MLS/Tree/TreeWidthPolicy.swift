/// Bounds the leaves of a received tree by its members, so that nobody can make a tree costly with blank nodes.
///
/// A blank node takes one byte of a `ratchet_tree` and costs the receiver a hash. RFC 9420 lets an honest group be sparse:
/// it shrinks only while its right half is blank (§7.7), so one member far to the right keeps the width of a group that was
/// once large. A policy therefore allows every tree a number of leaves, and a larger tree a number of leaves for each
/// member.
public struct TreeWidthPolicy: Hashable, Sendable {
    /// Leaves that every tree may have.
    public var leaves: Int
    /// Leaves that a larger tree may have for each of its members.
    public var leavesPerMember: Int

    /// Takes the two bounds.
    public init(leaves: Int, leavesPerMember: Int) {
        self.leaves = leaves
        self.leavesPerMember = leavesPerMember
    }

    /// For groups that the application has a reason to trust, such as those of a known inviter.
    public static let ordinary = TreeWidthPolicy(
        leaves: Limits.sparseLeaves, leavesPerMember: Limits.leavesPerMember)
    /// For groups of strangers.
    public static let strict = TreeWidthPolicy(
        leaves: Limits.strictSparseLeaves, leavesPerMember: Limits.strictLeavesPerMember)

    /// Whether a tree with this number of leaves, blank ones included, may have this number of members.
    public func allows(leaves: Int, members: Int) -> Bool {
        guard leaves > self.leaves else { return true }
        return (leaves - 1) / max(1, leavesPerMember) < members
    }
}
