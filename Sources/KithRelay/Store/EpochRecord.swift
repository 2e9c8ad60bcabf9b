import KithWire

/// One epoch of a channel.
package struct EpochRecord: Hashable, Sendable {
    /// The grants of the epoch.
    package let access: Access
    /// The seq of the epoch's first entry.
    package let firstSeq: UInt64
    /// The seq of the turn that ended the epoch; `nil` for the current epoch.
    package let lastSeq: UInt64?

    /// Creates an epoch from its fields.
    package init(access: Access, firstSeq: UInt64, lastSeq: UInt64?) {
        self.access = access
        self.firstSeq = firstSeq
        self.lastSeq = lastSeq
    }
}
