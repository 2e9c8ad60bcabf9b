/// The maximum values of protocol version 1. No frame may exceed these values. A relay may have lower limits, and announces its
/// own limits in `welcome`.
public enum WireLimits {
    /// Maximum size of one protocol frame, in bytes. The largest payload fits into a frame. A list of entries that does not fit
    /// into a frame is divided.
    public static let frame = 1 << 20
    /// Maximum size of one entry's payload, in bytes. The largest padded message fits, and so does a commit of a large group.
    public static let payload = 256 << 10
    /// Maximum number of tokens in one `present`. An epoch has three tokens. More tokens in one frame could only be guesses.
    public static let tokens = 3
    /// Maximum number of protocol versions in one `hello`.
    public static let versions = 16
    /// Maximum length of a relay pass, in bytes.
    public static let relayPass = 256
    /// Maximum size of one key package, in bytes. A key package with post-quantum keys has 4 to 8 KiB.
    public static let keyPackage = 64 << 10
    /// Maximum number of key packages in one `deposit`.
    public static let keyPackagesPerDeposit = 128
    /// Maximum length of a name, in characters.
    public static let name = 64
    /// Maximum size of a name record's content, in bytes. The content that Kith's clients register is the address of an inbox.
    public static let nameContent = 4 << 10
    /// Maximum length of an error's sentence, in bytes.
    public static let sentence = 256
    /// Maximum number of entries in one `entries` frame.
    public static let entriesPerFrame = 4096
}
