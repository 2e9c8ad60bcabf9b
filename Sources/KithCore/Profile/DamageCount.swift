/// The numbers of damaged values on the disk, which were left out.
public struct DamageCount: Hashable, Sendable {
    /// The number of entries of conversations.
    public let entries: Int
    /// The number of other values.
    public let otherValues: Int

    /// Counts of both kinds.
    public init(entries: Int, otherValues: Int) {
        self.entries = entries
        self.otherValues = otherValues
    }
}
