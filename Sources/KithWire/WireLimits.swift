/// The bounds of protocol version 1, which no frame may exceed. A relay may allow less, and announces its own limits in
/// `welcome`.
public enum WireLimits {
    /// The size of one protocol frame, in bytes. There is room for the largest payload and for a full batch of entries.
    public static let frame = 1 << 20
    /// The payload of one entry, in bytes: the largest padded message of a conversation, or a commit of a large group.
    public static let payload = 256 << 10
    /// The tokens in one `present`. An epoch has three tokens, so further tokens in one frame could only be guesses.
    public static let tokens = 3
    /// The protocol versions in one `hello`.
    public static let versions = 16
    /// The length of a relay pass, in bytes.
    public static let relayPass = 256
    /// The size of one key package, in bytes: a post-quantum one has 4 to 8 KiB.
    public static let keyPackage = 64 << 10
    /// The key packages in one `deposit`.
    public static let keyPackagesPerDeposit = 128
    /// The length of a name, in characters.
    public static let name = 64
    /// The content of a name record, in bytes: an invite with its relay's address.
    public static let nameContent = 4 << 10
    /// The length of an error's sentence, in bytes.
    public static let sentence = 256
    /// The entries in one `entries` frame.
    public static let entriesPerFrame = 4096
}
