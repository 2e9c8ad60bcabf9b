/// Every limit of the classic session, with its reason.
public enum ClassicLimits {
    /// The longest id, in bytes of UTF-8: room for a long name or an e-mail address in any script, and short enough to
    /// stand at the beginning of each line of a terminal.
    public static let idBytes = 128

    /// The longest message, in bytes of UTF-8: many pages of text, and with everything around it still far below the
    /// 256 KiB that a relay takes as one payload.
    public static let textBytes = 64 * 1024

    /// The longest frame, in bytes: the longest message, its padding (16), and the fields around it (less than 256). A
    /// longer one is refused before any of it is read.
    public static let frameBytes = textBytes + 16 + 256

    /// The shortest accepted RSA modulus, in bits: 3072 bits count as strong as a 128-bit symmetric key (NIST SP 800-57
    /// part 1, table 2).
    public static let leastRSABits = 3072

    /// The longest accepted RSA modulus, in bits. The work to check a signature grows with the square of the length, so
    /// without a limit a stranger could waste this side's time.
    public static let mostRSABits = 8192

    /// The longest SubjectPublicKeyInfo, in bytes: a modulus of ``mostRSABits`` (1024 bytes) and less than 64 bytes around
    /// it.
    static let publicKeyBytes = mostRSABits / 8 + 64

    /// The longest RSA signature or RSA ciphertext, in bytes: as long as the longest modulus.
    static let rsaOutputBytes = mostRSABits / 8

    /// The most runs of the other user that one run answers or remembers. A channel keeps the hellos of old runs as long as
    /// its other entries, so there can be many. Without a limit, anybody who can write to the channel could make this side
    /// answer (and remember) for ever. 1024 runs are 16 KiB.
    static let rememberedRuns = 1024

    /// The highest number of a message. Far above what people type, far below where the 128-bit blocks of AES-CBC begin
    /// to repeat: 2³² messages of 2¹² blocks are 2⁴⁴ blocks, and a repetition becomes likely at 2⁶⁴.
    static let highestNumber: UInt64 = 1 << 32

    /// The furthest that an altered frame's claim may be ahead of the next expected number and still be shown. Also the
    /// most claims that are remembered, so that a message reported as altered is not reported as missing too.
    static let believedLead: UInt64 = 64
}
