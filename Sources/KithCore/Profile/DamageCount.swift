/// Counts of the values that were left out because they are damaged on the disk.
public struct DamageCount: Hashable, Sendable {
    /// The number of damaged entries of conversations.
    public let entries: Int
    /// The number of damaged values that are not entries of conversations.
    public let otherValues: Int

    /// Creates a value from the two numbers.
    public init(entries: Int, otherValues: Int) {
        self.entries = entries
        self.otherValues = otherValues
    }
}
