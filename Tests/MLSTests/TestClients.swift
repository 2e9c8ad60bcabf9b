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
