/// The identity of a profile.
public struct ProfileIdentity: Hashable, Sendable {
    /// The name that contacts see.
    public let name: String
    /// The name of this device, which members see.
    public let deviceName: String
    /// The account's public key.
    public let accountKey: AccountKey
}
