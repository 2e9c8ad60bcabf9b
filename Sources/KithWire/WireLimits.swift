/// The bounds of protocol version 1: what a frame may hold at all. A relay may allow less and says so in `welcome`.
public enum WireLimits {
    /// One protocol frame, in bytes. Room for the largest payload and for a full batch of entries.
    public static let frame = 1 << 20
    /// One entry's payload, in bytes: the largest padded message of a conversation, or a commit of a large group.
    public static let payload = 256 << 10
    /// Tokens in one `present`. An epoch has three; more in one frame could only be guesses.
    public static let tokens = 3
    /// Protocol versions in one `hello`.
    public static let versions = 16
    /// A relay pass, in bytes.
    public static let relayPass = 256
    /// One key package, in bytes: a post-quantum one is 4 to 8 KiB.
    public static let keyPackage = 64 << 10
    /// Key packages in one `deposit`.
    public static let keyPackagesPerDeposit = 128
    /// A name, in characters.
    public static let name = 64
    /// What a name record may say, in bytes: an invite with its relay's address.
    public static let nameContent = 4 << 10
    /// The sentence of an error, in bytes.
    public static let sentence = 256
    /// Entries in one `entries` frame.
    public static let entriesPerFrame = 4096
}
