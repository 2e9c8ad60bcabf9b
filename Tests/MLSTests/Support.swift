@testable import MLS

/// A time within the lifetimes of the tests.
let testNow: UInt64 = 1_750_000_000
let testLifetime = Lifetime(notBefore: testNow - 3_600, notAfter: testNow + 30 * 24 * 3_600)

/// An authentication service of an application whose identities are the bytes of basic credentials.
struct TestAuthentication: AuthenticationService {
    var refused: Set<String> = []
    var identifiesClients = false
    func isValid(_ credential: Credential, signatureKey _: SignaturePublicKey, as _: CredentialRole) -> Bool {
        guard case .basic(let identity) = credential else { return true }
        return !refused.contains(String(decoding: identity, as: UTF8.self))
    }
    func clientIdentity(_ credential: Credential) -> [UInt8]? {
        guard identifiesClients, case .basic(let identity) = credential else { return nil }
        return identity
    }
}

func testEnvironment(
    _ change: (inout MLSEnvironment) -> Void = { _ in }
) -> MLSEnvironment {
    var environment = MLSEnvironment(authentication: TestAuthentication(), now: testNow)
    change(&environment)
    return environment
}

func testClient(
    _ name: String, _ suite: CipherSuite = .x25519AES128SHA256Ed25519, capabilities: Capabilities = Capabilities()
) throws -> Client {
    Client(
        credential: .basic(identity: Array(name.utf8)), signer: try SignaturePrivateKey(generatingFor: suite),
        capabilities: capabilities)
}

func testBundle(
    _ name: String, _ suite: CipherSuite = .x25519AES128SHA256Ed25519, capabilities: Capabilities = Capabilities()
) throws -> KeyPackageBundle {
    try KeyPackageBundle(
        suite: suite, client: testClient(name, suite, capabilities: capabilities), lifetime: testLifetime)
}

extension KeyPackageBundle {
    /// The client that the bundle is of.
    var client: Client {
        Client(
            credential: keyPackage.leafNode.credential, signer: signer, capabilities: keyPackage.leafNode.capabilities)
    }
}

func testGroup(
    _ name: String, _ suite: CipherSuite = .x25519AES128SHA256Ed25519, extensions: [Extension] = [],
    capabilities: Capabilities = Capabilities(), _ environment: MLSEnvironment = testEnvironment()
) throws -> Group {
    try Group(
        creating: Array("group".utf8), suite: suite, client: testClient(name, suite, capabilities: capabilities),
        extensions: extensions, lifetime: testLifetime, in: environment)
}

extension MLSMessage {
    /// The message as it arrives: encoded and decoded again.
    var delivered: MLSMessage { get throws { try MLSMessage.decode(encoded) } }

    var asWelcome: Welcome {
        get throws {
            guard case .welcome(let welcome) = try delivered else { throw JSON.Missing(description: "no welcome") }
            return welcome
        }
    }

    var asGroupInfo: GroupInfo {
        get throws {
            guard case .groupInfo(let info) = try delivered else { throw JSON.Missing(description: "no group info") }
            return info
        }
    }
}

extension Group {
    /// Receives a commit and applies it.
    @discardableResult
    mutating func follow(_ message: MLSMessage, _ environment: MLSEnvironment = testEnvironment()) throws
        -> CommitEffect
    {
        guard case .commit(let staged) = try process(message.delivered, in: environment) else {
            throw JSON.Missing(description: "no commit")
        }
        try apply(staged)
        return staged.effect
    }

    mutating func receive(_ message: MLSMessage, _ environment: MLSEnvironment = testEnvironment()) throws
        -> ApplicationMessage
    {
        guard case .application(let received) = try process(message.delivered, in: environment) else {
            throw JSON.Missing(description: "no application message")
        }
        return received
    }

    mutating func hear(_ message: MLSMessage, _ environment: MLSEnvironment = testEnvironment()) throws {
        guard case .proposal = try process(message.delivered, in: environment) else {
            throw JSON.Missing(description: "no proposal")
        }
    }
}

/// The members of one group, all in the same epoch.
struct TestMembers {
    var groups: [Group]
    var environment: MLSEnvironment

    /// A group whose creator added the others in one commit.
    init(
        _ names: [String], suite: CipherSuite = .x25519AES128SHA256Ed25519, extensions: [Extension] = [],
        capabilities: Capabilities = Capabilities(), environment: MLSEnvironment = testEnvironment()
    ) throws {
        self.environment = environment
        var creator = try testGroup(
            names[0], suite, extensions: extensions, capabilities: capabilities, environment)
        let bundles = try names.dropFirst().map { try testBundle($0, suite, capabilities: capabilities) }
        groups = []
        guard !bundles.isEmpty else {
            groups = [creator]
            return
        }
        let commit = try creator.commit(CommitOptions(bundles.map { .add($0.keyPackage) }), in: environment)
        try creator.apply(commit)
        groups = [creator]
        guard let welcome = commit.welcome else { throw JSON.Missing(description: "no welcome") }
        for bundle in bundles {
            groups.append(try Group(joining: welcome.asWelcome, with: bundle, in: environment))
        }
    }

    /// Member `index` commits and everyone applies the commit.
    @discardableResult
    mutating func commit(_ index: Int, _ options: CommitOptions = CommitOptions()) throws -> PendingCommit {
        let commit = try groups[index].commit(options, in: environment)
        for other in groups.indices where other != index && groups[other].status == .active {
            try groups[other].follow(commit.message, environment)
        }
        try groups[index].apply(commit)
        return commit
    }

    mutating func propose(_ index: Int, _ message: MLSMessage) throws {
        for other in groups.indices where other != index { try groups[other].hear(message, environment) }
    }

    /// Checks that all active members are in the same epoch and can read each other's messages.
    mutating func checkAgreement() throws {
        let active = groups.indices.filter { groups[$0].status != .removed }
        for index in active {
            try check(
                groups[index].epochAuthenticator == groups[active[0]].epochAuthenticator, "member \(index) diverged")
            try check(groups[index].context == groups[active[0]].context, "context of \(index)")
        }
        guard groups[active[0]].status == .active else { return }
        for sender in active {
            let message = try groups[sender].encrypt([UInt8(sender & 0xff)], in: environment)
            for receiver in active where receiver != sender {
                let received = try groups[receiver].receive(message, environment)
                try check(received.data == [UInt8(sender & 0xff)], "data")
                try check(received.sender == groups[sender].ownLeafIndex, "sender")
            }
        }
    }
}
