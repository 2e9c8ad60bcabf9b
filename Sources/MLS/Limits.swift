/// The limits of this module, with their reasons. ``MLSConfiguration`` has the limits that an application may choose.
public enum Limits {
    /// Maximum number of leaves of a tree. The limit is ten times the size of the largest measured group. With more leaves, a
    /// Welcome exceeds 300 MB.
    public static let members = 1 << 20
    /// Number of leaves that is always allowed in a received tree, even with few members. A group that was once large may have
    /// two members in a tree of 4,096 leaves. Hashing this tree's blank nodes takes some milliseconds.
    static let sparseLeaves = 4_096
    /// Maximum number of leaves per member, for a received tree with more than ``sparseLeaves`` leaves. 64 leaves have about 128
    /// nodes. Hashing 128 blank nodes takes about as long as verifying one leaf's signature.
    static let leavesPerMember = 64
    /// Number of leaves that is always allowed in a stranger's tree, even with few members. 256 leaves have about 512 nodes.
    /// Hashing 512 blank nodes takes less time than opening a Welcome.
    static let strictSparseLeaves = 256
    /// Maximum number of leaves per member, for a stranger's tree with more than ``strictSparseLeaves`` leaves. A group that has
    /// lost seven eighths of its members is still accepted.
    static let strictLeavesPerMember = 8
    /// Maximum size of a public key, in bytes. A key of ML-DSA-87 has 2,592 bytes, and a key of X-Wing has 1,216 bytes.
    static let publicKeyLength = 4_096
    /// Maximum size of a signature, in bytes. A signature of ML-DSA-87 has 4,627 bytes.
    static let signatureLength = 8_192
    /// Maximum size of a MAC or hash, in bytes. A SHA-512 hash has 64 bytes.
    static let hashLength = 255
    /// Size of a SHA-256 hash, in bytes: the shortest hash of all suites. While a message is read, a shorter reference or nonce
    /// is refused. The minimum bounds the memory of a message: even an empty reference takes 64 bytes of memory.
    static let shortestHash = 32
    /// Maximum number of extensions in one list. RFC 9420 and draft-ietf-mls-extensions define six types, and reserve 15 types
    /// for GREASE. The shortest extension takes 16 times as many bytes in memory as in its encoding.
    static let extensions = 32
    /// Maximum number of external senders of a group. A group usually has few external senders: servers of the group's
    /// operator. The shortest external sender takes 25 times as many bytes in memory as in its encoding.
    static let externalSenders = 64
    /// Maximum number of certificates in an X.509 credential. Public chains have two to five certificates.
    static let certificates = 16
    /// Maximum size of all certificates of an X.509 credential, in bytes. A chain of post-quantum certificates has about 20,000
    /// bytes.
    static let certificateBytes = 1 << 16
    /// Maximum number of proposals in a commit. One commit can add all members of the largest group. An unchecked proposal takes
    /// 16 bytes of memory, plus its content.
    static let proposals = members
    /// Maximum number of nodes in a path. The largest tree has this number of levels above its leaves.
    static let pathNodes = members.trailingZeroBitCount
    /// Maximum number of trials in a search for received proposals that are valid together. 128 trials find about ten invalid
    /// proposals among a thousand. A trial takes as long as a check of the whole list. Members can send any number of invalid
    /// proposals.
    static let selectionTrials = 128
    /// Maximum number of attempts to draw a random scalar. Each attempt fails with a probability below 2⁻³².
    static let keyGenerationAttempts = 16
    /// Maximum number of skipped keys per sender. A larger number in the configuration has no effect. 1,000 keys take about 100
    /// KB.
    static let skippedKeys = 1_000
    /// Maximum number of PSKs in one commit. A PSKLabel has 16 bits for the number of PSKs (§8.4).
    static let preSharedKeys = 0xffff
    /// Maximum size of application data, and maximum size of authenticated data, in bytes. The limit is half of the longest
    /// vector (§2.1.2). The other half of the vector is space for a signature and padding.
    public static let contentLength = 1 << 29
    /// Minimum number of items for work on several cores. With fewer items, a single core is faster.
    static let parallelThreshold = 8
}
