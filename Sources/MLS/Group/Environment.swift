/// Decides whether credentials are valid (RFC 9420 §5.3.1). The application has to provide this part of a group's security.
public protocol AuthenticationService: Sendable {
    /// Whether a credential is valid and belongs to the signature key.
    func isValid(_ credential: Credential, signatureKey: SignaturePublicKey, as role: CredentialRole) -> Bool

    /// Whether a member may replace its credential by a new one: with an update, with a commit, or when it rejoins (§5.3.1).
    func isValidSuccessor(_ new: Credential, of old: Credential) -> Bool

    /// An identifier that distinguishes clients (§5.3.3), so that no client is in a group twice (§12.2). If nil, clients are
    /// distinguished by their signature keys only. Signature keys have to be unique in any case.
    func clientIdentity(_ credential: Credential) -> [UInt8]?
}

extension AuthenticationService {
    /// Accepts only an equal credential.
    public func isValidSuccessor(_ new: Credential, of old: Credential) -> Bool { new == old }
    /// Nil, so that clients are distinguished by their signature keys only.
    public func clientIdentity(_ credential: Credential) -> [UInt8]? { nil }
}

/// The role for which a credential is presented.
public enum CredentialRole: Hashable, Sendable {
    /// A member, or a client that will become a member.
    case member
    /// A sender of external proposals (§12.1.8.1).
    case externalSender
}

/// Accepts every credential. For tests, and for applications that check members in another way.
public struct AcceptEveryCredential: AuthenticationService {
    /// Creates the service.
    public init() {}
    /// Always true.
    public func isValid(_: Credential, signatureKey _: SignaturePublicKey, as _: CredentialRole) -> Bool { true }
    /// Always true.
    public func isValidSuccessor(_: Credential, of _: Credential) -> Bool { true }
}

/// The settings of the application. The comment of each setting has the reason for its default value.
public struct MLSConfiguration: Sendable {
    /// Maximum number of generations by which a message may be ahead of the next generation expected from its sender. Each
    /// skipped generation takes three hashes, so 1,000 generations take 3 ms.
    public var maximumForwardDistance: UInt32 = 1_000
    /// Maximum number of generations by which a late message may be behind the newest message received from its sender. The key
    /// of each missing message is stored and takes 100 bytes.
    public var outOfOrderWindow: UInt32 = 100
    /// The padding of messages. There is none by default, because an application for which lengths matter pads its own content.
    public var padding: Padding = .none
    /// Whether proposals and commits are encrypted. The default is true, because a server need not read them.
    public var encryptsHandshakes = true
    /// Whether a Welcome contains the tree. The default is true, so that joiners need no other source for the tree.
    public var includesRatchetTree = true
    /// Whether the GroupInfo in a Welcome contains the external public key. The default is false, because the key is needed only
    /// in a published GroupInfo.
    public var includesExternalPub = false
    /// The longest accepted lifetime of a key package, in seconds (§7.2). The default is a year and some days. Some other
    /// implementations create key packages that never expire, with a lifetime from 0 to 2⁶⁴ − 1. Set this to `UInt64.max` to
    /// accept such key packages.
    public var maximumLifetime: UInt64 = 400 * 24 * 3_600
    /// Whether other clients' leaves must be within their lifetime when they are received (§7.3 recommends it).
    public var checksReceivedLifetimes = true
    /// Bound on the number of leaves, including blank ones, in the tree of a group that the client joins (§7.7). For the groups
    /// of strangers, use ``TreeWidthPolicy/strict``.
    public var treeWidth: TreeWidthPolicy = .ordinary
    /// Number of past epochs whose resumption PSKs are stored. Each PSK has the size of a hash.
    public var resumptionEpochs = 16
    /// Whether clients that are not members may propose their own addition, and may join with an external commit (§12.1.8,
    /// §12.4.3.2). The default is true, as in the RFC. An application that publishes no GroupInfo should set it to false. To
    /// propose its own addition, a client only has to know the group's identifier. No application data can be sent until that
    /// proposal is committed or discarded.
    public var acceptsNewcomers = true
    /// The types of group context extensions that this client accepts: in a group that it creates or joins, and in proposals to
    /// change them (§12.1.7). Nil accepts every type that the members support. A commit that adds another type is refused, so the
    /// applications of all members must have the same list.
    public var allowedGroupExtensions: Set<ExtensionType>?
    /// Whether members may rejoin with an external commit that removes their old leaf (§12.4.3.2).
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
    /// Returns the pre-shared key with a given identifier; nil if there is none. The function is called for external keys and for
    /// resumption PSKs that the group itself does not have, such as those of other groups (§8.4).
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
