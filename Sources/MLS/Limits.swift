/// Every limit of this module, with its reason. Limits that an application may choose are in ``MLSConfiguration``.
public enum Limits {
    /// Leaves of a tree. Ten times the largest group that was measured; beyond it a Welcome passes 300 MB.
    public static let members = 1 << 20
    /// Leaves that any received tree may have, however few members. A group of two in a tree of 4,096 leaves was once
    /// larger; hashing its blank nodes takes some milliseconds.
    static let sparseLeaves = 4_096
    /// Leaves for each member of a larger received tree. Hashing 128 blank nodes takes about as long as verifying the
    /// signature of one member's leaf.
    static let leavesPerMember = 64
    /// Leaves that any tree of a stranger may have. Hashing 512 blank nodes takes less than opening a Welcome.
    static let strictSparseLeaves = 256
    /// Leaves for each member of a stranger's larger tree: a group that lost seven of eight members still passes.
    static let strictLeavesPerMember = 8
    /// Bytes of a public key. ML-DSA-87's has 2,592; X-Wing's 1,216.
    static let publicKeyLength = 4_096
    /// Bytes of a signature. ML-DSA-87's has 4,627.
    static let signatureLength = 8_192
    /// Bytes of a MAC or hash. SHA-512's has 64.
    static let hashLength = 255
    /// Bytes of the shortest hash of any suite, SHA-256's. References and nonces that are shorter match nothing, and in memory
    /// each takes 64 bytes at least.
    static let shortestHash = 32
    /// Extensions in one list. RFC 9420 and its extensions draft define six types and reserve 15 for GREASE; in memory an
    /// extension takes up to 16 times its shortest encoding.
    static let extensions = 32
    /// External senders of a group. A group has a few: servers of its operator. In memory, a sender takes up to 25 times
    /// its shortest encoding.
    static let externalSenders = 64
    /// Certificates in an X.509 credential. Public certificate chains have two to five.
    static let certificates = 16
    /// Bytes of all certificates of an X.509 credential. A chain of post-quantum certificates takes about 20,000.
    static let certificateBytes = 1 << 16
    /// Proposals in a commit. Enough for one commit to add every member of the largest group. Before it is checked, a
    /// proposal takes 16 bytes of memory besides its content.
    static let proposals = members
    /// Nodes of a path: the levels above the leaves of the largest tree.
    static let pathNodes = members.trailingZeroBitCount
    /// Trials of a commit with fewer of the received proposals, when not all are valid together. They find some ten misfits
    /// among a thousand. Each trial costs as much as judging the list, and a member can send any number of misfits.
    static let selectionTrials = 128
    /// Attempts to draw a scalar. Each fails with a chance below 2⁻³².
    static let keyGenerationAttempts = 16
    /// Skipped keys that are kept per sender, whatever the configuration says: 1,000 keys are about 100 KB.
    static let skippedKeys = 1_000
    /// PSKs in one commit: the PSKLabel counts them in 16 bits (§8.4).
    static let preSharedKeys = 0xffff
    /// Bytes of application data, and of authenticated data. Half of what a vector's length can express (§2.1.2): the
    /// content is encrypted together with its signature and padding.
    public static let contentLength = 1 << 29
    /// The fewest items that are spread over cores. With fewer, waking a thread costs more than it saves.
    static let parallelThreshold = 8
}
