/// The limits of this module, each with its reason. Limits that an application may choose are in ``MLSConfiguration``.
public enum Limits {
    /// Maximum number of leaves of a tree. The limit is ten times the largest group that was measured. In a larger group, a
    /// Welcome would exceed 300 MB.
    public static let members = 1 << 20
    /// Number of leaves that every received tree may have, even with few members. A group of two in a tree of 4,096 leaves is
    /// possible, because it may have had more members before. Hashing its blank nodes takes some milliseconds.
    static let sparseLeaves = 4_096
    /// Maximum number of leaves per member in a received tree with more leaves than ``sparseLeaves``. 64 leaves have about 128
    /// nodes in the tree. If all are blank, hashing them takes about as long as verifying the signature of one member's leaf.
    static let leavesPerMember = 64
    /// Number of leaves that every tree of a stranger may have. 256 leaves have about 512 nodes in the tree. If all are blank,
    /// hashing them takes less time than opening a Welcome.
    static let strictSparseLeaves = 256
    /// Maximum number of leaves per member in a stranger's tree with more leaves than ``strictSparseLeaves``. A group that has
    /// lost seven of eight members is still accepted.
    static let strictLeavesPerMember = 8
    /// Maximum size of a public key, in bytes. A key of ML-DSA-87 has 2,592 bytes, and a key of X-Wing has 1,216.
    static let publicKeyLength = 4_096
    /// Maximum size of a signature, in bytes. A signature of ML-DSA-87 has 4,627 bytes.
    static let signatureLength = 8_192
    /// Maximum size of a MAC or hash, in bytes. SHA-512 has 64 bytes.
    static let hashLength = 255
    /// Size of the shortest hash of all suites, SHA-256, in bytes. A shorter reference or nonce cannot be valid. It is refused
    /// while a message is read. Otherwise a message could contain very many short ones, each of which would take at least 64
    /// bytes of memory.
    static let shortestHash = 32
    /// Maximum number of extensions in one list. RFC 9420 and its extensions draft define six types and reserve 15 for GREASE. In
    /// memory, an extension takes up to 16 times its shortest encoding.
    static let extensions = 32
    /// Maximum number of external senders of a group. A group has only a few, which are its operator's servers. In memory, a
    /// sender takes up to 25 times its shortest encoding.
    static let externalSenders = 64
    /// Maximum number of certificates in an X.509 credential. Public certificate chains have two to five.
    static let certificates = 16
    /// Maximum size of all certificates of an X.509 credential, in bytes. A chain of post-quantum certificates takes about
    /// 20,000.
    static let certificateBytes = 1 << 16
    /// Maximum number of proposals in a commit. One commit can add every member of the largest group. Before it is checked, a
    /// proposal takes 16 bytes of memory in addition to its content.
    static let proposals = members
    /// Maximum number of nodes in a path. The limit equals the number of levels above the leaves of the largest tree.
    static let pathNodes = members.trailingZeroBitCount
    /// Maximum number of trials to find which received proposals are valid together. This is enough to find some ten invalid ones
    /// among a thousand. Each trial takes as long as a check of the whole list, and a member can send any number of invalid
    /// proposals.
    static let selectionTrials = 128
    /// Maximum number of attempts to draw a scalar. Each attempt fails with a probability below 2⁻³².
    static let keyGenerationAttempts = 16
    /// Maximum number of skipped keys per sender, even if the configuration allows more. 1,000 keys take about 100 KB.
    static let skippedKeys = 1_000
    /// Maximum number of PSKs in one commit. A PSKLabel counts them in 16 bits (§8.4).
    static let preSharedKeys = 0xffff
    /// Maximum size of application data, and of authenticated data, in bytes. The limit is half of the longest vector (§2.1.2),
    /// because the content is encrypted together with its signature and padding.
    public static let contentLength = 1 << 29
    /// Minimum number of items that are distributed over all cores. With fewer items, waking a thread takes more time than it
    /// saves.
    static let parallelThreshold = 8
}
