import KithWire

/// One epoch of a channel.
public struct EpochRecord: Hashable, Sendable {
    /// The access to it.
    public let access: Access
    /// The seq of its first entry.
    public let firstSeq: UInt64
    /// The seq of its turn; `nil` while it is the current epoch.
    public let lastSeq: UInt64?

    /// An epoch from its fields.
    public init(access: Access, firstSeq: UInt64, lastSeq: UInt64?) {
        self.access = access
        self.firstSeq = firstSeq
        self.lastSeq = lastSeq
    }
}
