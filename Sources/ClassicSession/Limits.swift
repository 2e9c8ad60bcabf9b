/// The limits of the classic session, each with its reason.
public enum ClassicLimits {
    /// The longest id, in bytes of UTF-8. The limit is enough for a long name or an e-mail address, in any script. An id of this
    /// length can still be printed at the beginning of each line of a terminal.
    public static let idBytes = 128

    /// The longest message, in bytes of UTF-8. The limit is enough for many pages of text. A frame with a message of this length
    /// is still far below the 256 KiB that a relay accepts as one payload.
    public static let textBytes = 64 * 1024

    /// The longest frame, in bytes: the longest message, its padding (16), and the remaining fields (less than 256). A longer
    /// frame is refused before any part of it is read.
    public static let frameBytes = textBytes + 16 + 256

    /// The shortest accepted RSA modulus, in bits. A modulus of 3072 bits counts as strong as a 128-bit symmetric key (NIST SP
    /// 800-57 part 1, table 2).
    public static let leastRSABits = 3072

    /// The longest accepted RSA modulus, in bits. The time to verify a signature grows with the square of the length. The limit
    /// keeps strangers from wasting this side's time.
    public static let mostRSABits = 8192

    /// The longest SubjectPublicKeyInfo, in bytes: a modulus of ``mostRSABits`` (1024 bytes) and less than 64 bytes around that
    /// modulus.
    static let publicKeyBytes = mostRSABits / 8 + 64

    /// The longest RSA signature or RSA ciphertext, in bytes: the length of the longest modulus.
    static let rsaOutputBytes = mostRSABits / 8

    /// Maximum number of the other user's runs that one run answers or remembers. A channel keeps the hellos of old runs as long
    /// as its other entries, so there may be many hellos. Anyone who can write to the channel can add further hellos. The limit
    /// bounds the number of answers to hellos, and the memory for the runs: 1024 runs take 16 KiB.
    static let rememberedRuns = 1024

    /// The highest number of a message. People send far fewer messages. The limit is also far below the number at which 128-bit
    /// blocks of AES-CBC begin to repeat: 2³² messages of 2¹² blocks are 2⁴⁴ blocks, and a repetition becomes likely at 2⁶⁴.
    static let highestNumber: UInt64 = 1 << 32

    /// Length of the range of message numbers in which the claim of an altered frame is believed. The range begins with the
    /// next expected number. A claimed number outside the range is not reported. The session remembers each claimed number in
    /// the range, and does not report that number as missing. At most this many claims are remembered.
    static let believedLead: UInt64 = 64
}
