/// Judges credentials (RFC 9420 §5.3.1). The application's part of a group's security.
public protocol AuthenticationService: Sendable {
    /// Whether a credential is valid and belongs to the signature key.
    func isValid(_ credential: Credential, signatureKey: SignaturePublicKey, as role: CredentialRole) -> Bool

    /// Whether a member may replace its credential by a new one: by an update, a commit, or when it rejoins (§5.3.1).
    func isValidSuccessor(_ new: Credential, of old: Credential) -> Bool

    /// An identifier that tells one client from another (§5.3.3), so that no client is in a group twice (§12.2). If nil,
    /// the signature keys tell clients apart; they are unique in any case.
    func clientIdentity(_ credential: Credential) -> [UInt8]?
}

extension AuthenticationService {
    /// Accepts only the same credential.
    public func isValidSuccessor(_ new: Credential, of old: Credential) -> Bool { new == old }
    /// Nil: only the signature keys tell clients apart.
    public func clientIdentity(_ credential: Credential) -> [UInt8]? { nil }
}

/// The role that a credential is presented for.
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

/// The application's choices. Each default has its reason beside it.
public struct MLSConfiguration: Sendable {
    /// The most generations that a message may be ahead of its sender's last one. Each step costs three hashes: 1,000 cost
    /// 3 ms.
    public var maximumForwardDistance: UInt32 = 1_000
    /// The most generations that a late message may be behind its sender's newest. Each kept key is 100 bytes of state.
    public var outOfOrderWindow: UInt32 = 100
    /// The padding of messages. None by default: the application pads its own content if lengths matter.
    public var padding: Padding = .none
    /// Whether proposals and commits are encrypted. They are by default, since a server has no need to see them.
    public var encryptsHandshakes = true
    /// Whether a Welcome carries the tree. It does by default, so that joiners need no other source.
    public var includesRatchetTree = true
    /// Whether a Welcome's GroupInfo carries the external public key. Not by default: the key is for GroupInfo that is
    /// published.
    public var includesExternalPub = false
    /// The longest lifetime of a key package, in seconds, that is accepted (§7.2). A year and some days. Some other stacks
    /// make key packages that never expire, from 0 to 2⁶⁴ − 1; `UInt64.max` accepts those too.
    public var maximumLifetime: UInt64 = 400 * 24 * 3_600
    /// Whether leaves that others sent must be within their lifetime (§7.3 recommends it).
    public var checksReceivedLifetimes = true
    /// Bound on the blank leaves of a tree to join with (§7.7). For a stranger's group, use ``TreeWidthPolicy/strict``.
    public var treeWidth: TreeWidthPolicy = .ordinary
    /// The number of past epochs whose resumption PSKs are kept. Each PSK is one hash.
    public var resumptionEpochs = 16
    /// Whether clients that are no members may propose their own addition and join with an external commit (§12.1.8,
    /// §12.4.3.2). They may by default, as in the RFC. An application that publishes no GroupInfo should refuse: a proposal
    /// from outside takes no more than the group's identifier, and holds up application data until it is committed or
    /// discarded.
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

/// The outside inputs of an operation: time, randomness, judgement and keys.
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
