/// Decides whether credentials are valid (RFC 9420 §5.3.1). The application must provide this service.
public protocol AuthenticationService: Sendable {
    /// Whether a credential is valid and belongs to the signature key.
    func isValid(_ credential: Credential, signatureKey: SignaturePublicKey, as role: CredentialRole) -> Bool

    /// Whether a member may replace its credential `old` by `new` (§5.3.1). The new credential comes with an Update or commit of
    /// the member, or with the external commit of a member that rejoins.
    func isValidSuccessor(_ new: Credential, of old: Credential) -> Bool

    /// Returns an identifier of the client (§5.3.3). A group refuses two clients with equal identifiers (§12.2). If the result is
    /// nil, only the signature keys distinguish clients. Even with identifiers, the signature keys of all members must differ.
    func clientIdentity(_ credential: Credential) -> [UInt8]?
}

extension AuthenticationService {
    /// Accepts only an equal credential.
    public func isValidSuccessor(_ new: Credential, of old: Credential) -> Bool { new == old }
    /// Always nil. Only the signature keys distinguish clients.
    public func clientIdentity(_ credential: Credential) -> [UInt8]? { nil }
}

/// The role of a credential's owner.
public enum CredentialRole: Hashable, Sendable {
    /// A member, or a client that will become a member.
    case member
    /// A sender of external proposals (§12.1.8.1).
    case externalSender
}

/// Accepts every credential. Use this service for tests, or in an application that checks members in another way.
public struct AcceptEveryCredential: AuthenticationService {
    /// Creates the service.
    public init() {}
    /// Always true.
    public func isValid(_: Credential, signatureKey _: SignaturePublicKey, as _: CredentialRole) -> Bool { true }
    /// Always true.
    public func isValidSuccessor(_: Credential, of _: Credential) -> Bool { true }
}

/// The settings of the application, with the reasons for the default values.
public struct MLSConfiguration: Sendable {
    /// Maximum number of generations that a message may skip. Counting begins at the sender's next expected generation. Each
    /// skipped generation takes three hashes. 1,000 generations take 3 ms.
    public var maximumForwardDistance: UInt32 = 1_000
    /// Maximum distance, in generations, from a late message to the sender's newest received message. The group stores the key of
    /// each missing message. A key takes 100 bytes.
    public var outOfOrderWindow: UInt32 = 100
    /// The padding of messages. The default is no padding. An application that hides lengths can pad its own content.
    public var padding: Padding = .none
    /// Whether proposals and commits are encrypted. Servers need not read proposals and commits, so the default is true.
    public var encryptsHandshakes = true
    /// Whether a Welcome contains the tree. The default is true. With the tree in the Welcome, joiners need no further source.
    public var includesRatchetTree = true
    /// Whether the GroupInfo in a Welcome contains the external public key. Joining with a Welcome needs no external public key,
    /// so the default is false.
    public var includesExternalPub = false
    /// Maximum lifetime of an accepted key package, in seconds (§7.2). The default is a year and some days. Some implementations
    /// create key packages with an endless lifetime, from 0 to 2⁶⁴ − 1. Set `UInt64.max` to accept an endless lifetime.
    public var maximumLifetime: UInt64 = 400 * 24 * 3_600
    /// Whether the lifetime of a received leaf is checked (§7.3 recommends this check).
    public var checksReceivedLifetimes = true
    /// Maximum width of a joined group's tree (§7.7). The width is the number of leaves, including blank leaves. For groups of
    /// strangers, use ``TreeWidthPolicy/strict``.
    public var treeWidth: TreeWidthPolicy = .ordinary
    /// Number of past epochs with a stored resumption PSK. Each PSK has the size of a hash.
    public var resumptionEpochs = 16
    /// Whether a client outside the group may propose its own addition or join with an external commit (§12.1.8, §12.4.3.2). The
    /// default is true, as in the RFC. An application that publishes no GroupInfo should use false. With true, every client that
    /// knows the group's identifier can propose its own addition. While a newcomer's proposal is pending, members cannot send
    /// application data.
    public var acceptsNewcomers = true
    /// The accepted types of group context extensions. Nil accepts every type that the members support. The client creates and
    /// joins no group with a type outside the set, and refuses a proposal or commit that adds a type outside the set (§12.1.7).
    /// All members must use equal sets.
    public var allowedGroupExtensions: Set<ExtensionType>?
    /// Whether a member may rejoin with an external commit. The external commit removes the member's old leaf (§12.4.3.2).
    public var allowsResync = true

    /// Creates a configuration with the default values.
    public init() {}

    func allows(groupExtensions extensions: [Extension]) -> Bool {
        guard let allowedGroupExtensions else { return true }
        return extensions.allSatisfy { allowedGroupExtensions.contains($0.type) }
    }

    var window: RatchetWindow {
        RatchetWindow(maximumForwardDistance: maximumForwardDistance, outOfOrderWindow: outOfOrderWindow)
    }
}

/// The external inputs of an operation: the time, random bytes, decisions about credentials, and keys.
public struct MLSEnvironment: Sendable {
    /// Decides about credentials.
    public var authentication: any AuthenticationService
    /// The time, in seconds since 1970.
    public var now: UInt64
    /// The source of random bytes.
    public var random: RandomSource
    /// The application's settings.
    public var configuration: MLSConfiguration
    /// Returns the pre-shared key with a given identifier; nil if there is none. The group calls this function for external keys,
    /// and for resumption PSKs that the group has not stored, for example the resumption PSKs of other groups (§8.4).
    public var preSharedKey: @Sendable (PreSharedKeyID.Kind) -> SecretBytes?

    /// Creates an environment. Only the authentication service and the time have no default.
    public init(
        authentication: any AuthenticationService, now: UInt64, random: RandomSource = .system,
        configuration: MLSConfiguration = MLSConfiguration(),
        preSharedKey: @escaping @Sendable (PreSharedKeyID.Kind) -> SecretBytes? = { _ in nil }
    ) {
        self.authentication = authentication
        self.now = now
        self.random = random
        self.configuration = configuration
        self.preSharedKey = preSharedKey
    }
}
