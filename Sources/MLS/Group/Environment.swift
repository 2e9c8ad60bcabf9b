/// Judges credentials (RFC 9420 §5.3.1). The application's part of a group's security.
public protocol AuthenticationService: Sendable {
    /// Whether a credential is valid and belongs to the signature key.
    func isValid(_ credential: Credential, signatureKey: SignaturePublicKey, as role: CredentialRole) -> Bool

    /// Whether a member may replace its credential by a new one: by an update, a commit, or when it rejoins (§5.3.1).
    func isValidSuccessor(_ new: Credential, of old: Credential) -> Bool

    /// What tells one client from another (§5.3.3), so that no client is in a group twice (§12.2). Nil leaves it to
    /// the signature keys, which are unique in any case.
    func clientIdentity(_ credential: Credential) -> [UInt8]?
}

extension AuthenticationService {
    /// Only the same credential.
    public func isValidSuccessor(_ new: Credential, of old: Credential) -> Bool { new == old }
    /// Nothing but the signature key.
    public func clientIdentity(_ credential: Credential) -> [UInt8]? { nil }
}

/// What a credential is presented for.
public enum CredentialRole: Hashable, Sendable {
    /// A member, or a client that is to become one.
    case member
    /// A sender of external proposals (§12.1.8.1).
    case externalSender
}

/// Accepts every credential. For tests, and for applications that check members by other means.
public struct AcceptEveryCredential: AuthenticationService {
    /// Takes no parameters.
    public init() {}
    /// True.
    public func isValid(_: Credential, signatureKey _: SignaturePublicKey, as _: CredentialRole) -> Bool { true }
    /// True.
    public func isValidSuccessor(_: Credential, of _: Credential) -> Bool { true }
}

/// What an application may choose. Each default has its reason beside it.
public struct MLSConfiguration: Sendable {
    /// How far ahead of a sender's last message another may be. Each step costs three hashes: 1,000 cost 3 ms.
    public var maximumForwardDistance: UInt32 = 1_000
    /// How far behind a sender's newest message a late one may be. Each kept key is 100 bytes of state.
    public var outOfOrderWindow: UInt32 = 100
    /// How messages are padded. None: the application pads its own content if lengths matter.
    public var padding: Padding = .none
    /// Whether proposals and commits are encrypted. They are: a server has no need to see them.
    public var encryptsHandshakes = true
    /// Whether a Welcome carries the tree. It does, so that joiners need no other source.
    public var includesRatchetTree = true
    /// Whether a Welcome's GroupInfo carries the external public key. No: it is for GroupInfo that is published.
    public var includesExternalPub = false
    /// The longest lifetime of a key package, in seconds, that is accepted (§7.2). A year and some days. Some other stacks make
    /// key packages that never expire, from 0 to 2⁶⁴ − 1: `UInt64.max` accepts those too.
    public var maximumLifetime: UInt64 = 400 * 24 * 3_600
    /// Whether leaves that others sent must be within their lifetime (§7.3 recommends it).
    public var checksReceivedLifetimes = true
    /// Bound on the blank leaves of a tree to join with (§7.7). A stranger's group deserves ``TreeWidthPolicy/strict``.
    public var treeWidth: TreeWidthPolicy = .ordinary
    /// How many past epochs' resumption PSKs are kept. Each is one hash.
    public var resumptionEpochs = 16
    /// Whether clients that are no members may propose their own addition and join with an external commit (§12.1.8,
    /// §12.4.3.2). They may, as the RFC has it; whoever publishes no GroupInfo had better refuse: a proposal from outside,
    /// which takes no more than the group's identifier, holds up application data until it is committed or discarded.
    public var acceptsNewcomers = true
    /// The types of group context extensions that this client takes, in a group it creates or joins and in proposals to change
    /// them (§12.1.7); nil takes every type that the members support. A group that changed to another type is refused with
    /// the commit, so all members' applications must have the same list.
    public var allowedGroupExtensions: Set<ExtensionType>?
    /// Whether members may rejoin with an external commit that removes their old leaf (§12.4.3.2).
    public var allowsResync = true

    /// The defaults.
    public init() {}

    func allows(groupExtensions extensions: [Extension]) -> Bool {
        guard let allowedGroupExtensions else { return true }
        return extensions.allSatisfy { allowedGroupExtensions.contains($0.type) }
    }

    var window: RatchetWindow {
        RatchetWindow(maximumForwardDistance: maximumForwardDistance, outOfOrderWindow: outOfOrderWindow)
    }
}

/// Everything that an operation takes from outside: time, randomness, judgement and keys.
public struct MLSEnvironment: Sendable {
    /// Judges credentials.
    public var authentication: any AuthenticationService
    /// The time, in seconds since 1970.
    public var now: UInt64
    /// The source of randomness.
    public var random: RandomSource
    /// The application's choices.
    public var configuration: MLSConfiguration
    /// Finds pre-shared keys: external ones, and resumption PSKs of other groups (§8.4).
    public var preSharedKey: @Sendable (PreSharedKeyID.Kind) -> SecretBytes?

    /// Takes the parts; only judgement and time have no default.
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
