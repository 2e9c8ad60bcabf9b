/// Counts of what is damaged on the disk and was left out.
public struct DamageCount: Hashable, Sendable {
    /// Entries of conversations.
    public let entries: Int
    /// Other values.
    public let otherValues: Int

    /// Counts of both kinds.
    public init(entries: Int, otherValues: Int) {
        self.entries = entries
        self.otherValues = otherValues
    }
}
