/// Every limit of the classic session, with its reason.
public enum ClassicLimits {
    /// The longest id, in bytes of UTF-8: room for a long name or an e-mail address in any script, and short enough to
    /// stand at the beginning of each line of a terminal.
    public static let idBytes = 128

    /// The longest message, in bytes of UTF-8: many pages of text, and with everything around it still far below the
    /// 256 KiB that a relay takes as one payload.
    public static let textBytes = 64 * 1024

    /// The longest frame: the longest message, its padding (16), and what stands around it (less than 256).
    /// A longer one is refused before any of it is read.
    public static let frameBytes = textBytes + 16 + 256

    /// The shortest RSA modulus taken from anyone: 3072 bits are held to be as strong as a 128-bit symmetric key
    /// (NIST SP 800-57 part 1, table 2).
    public static let leastRSABits = 3072

    /// The longest RSA modulus taken from anyone. The work to check a signature grows with the square of the length, so
    /// an unlimited key would let a stranger spend our time.
    public static let mostRSABits = 8192

    /// The longest SubjectPublicKeyInfo: a modulus of ``mostRSABits`` (1024 bytes) and less than 64 bytes around it.
    static let publicKeyBytes = mostRSABits / 8 + 64

    /// The longest RSA signature or RSA ciphertext: as long as the longest modulus.
    static let rsaOutputBytes = mostRSABits / 8

    /// How many runs of the other user one run answers or remembers. A channel keeps the hellos of old runs for as long
    /// as it keeps anything, so there can be many; without a limit, whoever can write to the channel could make this
    /// side answer (and remember) for ever. 1024 runs are 16 KiB.
    static let rememberedRuns = 1024

    /// The highest number of a message. Far above what people type, far below where the 128-bit blocks of AES-CBC begin
    /// to repeat: 2³² messages of 2¹² blocks are 2⁴⁴ blocks, and a repetition becomes likely at 2⁶⁴.
    static let highestNumber: UInt64 = 1 << 32

    /// How far behind the next expected number an altered frame's claim is believed enough to be shown, and how many
    /// such claims are remembered so that a message reported as altered is not reported as missing too.
    static let believedLead: UInt64 = 64
}
