import Crypto
import Foundation
import MLS

/// Measures the `MLS` module: single messages, and groups of growing size.
///
/// Arguments: the group sizes (default 10 100 1000), and `--json FILE`. `compare.py` runs this program and mls-rs.
@main
enum MLSBenchmarks {
    static func main() throws {
        var arguments = Array(CommandLine.arguments.dropFirst())
        var jsonFile: String?
        if arguments.first == "--loop", arguments.count == 3, let count = Int(arguments[2]) {
            return try Loop.run(arguments[1], count)
        }
        if arguments.first == "--restore", arguments.count == 2 { return try MemoryBenchmark.restore(arguments[1]) }
        if arguments.first == "--for-peer", arguments.count == 3, let size = Int(arguments[1]) {
            return try PeerFiles(folder: URL(fileURLWithPath: arguments[2])).write(size: size)
        }
        if let index = arguments.firstIndex(of: "--json"), index + 1 < arguments.count {
            jsonFile = arguments[index + 1]
            arguments.removeSubrange(index...(index + 1))
        }
        let sizes = arguments.isEmpty ? [10, 100, 1_000] : arguments.compactMap { Int($0) }
        var watch = Stopwatch()
        try primitives(&watch)
        try messages(&watch, .x25519AES128SHA256Ed25519, "")
        try messages(&watch, .xWingAES128SHA256Ed25519, " x-wing")
        try XWingBenchmark().run(&watch)
        for size in sizes { try GroupBenchmark(size: size).run(&watch) }
        watch.record("peak memory", peakMemory() / 1e6, "MB")
        if let jsonFile { try watch.json.write(toFile: jsonFile, atomically: true, encoding: .utf8) }
    }

    static func primitives(_ watch: inout Stopwatch) throws {
        let key = Curve25519.Signing.PrivateKey()
        let message = [UInt8](repeating: 7, count: 200)
        let signature = try key.signature(for: message)
        _ = try watch.microseconds("ed25519 sign") { _ = try key.signature(for: message) }
        _ = watch.microseconds("ed25519 verify") { _ = key.publicKey.isValidSignature(signature, for: message) }
        let long = [UInt8](repeating: 7, count: 10_240)
        _ = try watch.microseconds("ed25519 sign 10 KiB") { _ = try key.signature(for: long) }
        let longSignature = try key.signature(for: long)
        _ = watch.microseconds("ed25519 verify 10 KiB") {
            _ = key.publicKey.isValidSignature(longSignature, for: long)
        }
        let agreement = Curve25519.KeyAgreement.PrivateKey()
        let peer = Curve25519.KeyAgreement.PrivateKey().publicKey
        _ = watch.microseconds("x25519 generate") { _ = Curve25519.KeyAgreement.PrivateKey() }
        _ = try watch.microseconds("x25519 agree") { _ = try agreement.sharedSecretFromKeyAgreement(with: peer) }
        let xWing = try XWingMLKEM768X25519.PrivateKey()
        _ = try watch.microseconds("x-wing generate") { _ = try XWingMLKEM768X25519.PrivateKey() }
        let encapsulated = try xWing.publicKey.encapsulate()
        let publicKey = xWing.publicKey
        _ = try watch.microseconds("x-wing encapsulate") { _ = try publicKey.encapsulate() }
        _ = try watch.microseconds("x-wing decapsulate") { _ = try xWing.decapsulate(encapsulated.encapsulated) }
    }

    static func messages(_ watch: inout Stopwatch, _ suite: CipherSuite, _ suffix: String) throws {
        let environment = Bench.environment
        let client = try Bench.client("alice", suite)
        _ = try watch.microseconds("key package\(suffix)") {
            _ = try KeyPackageBundle(suite: suite, client: client, lifetime: Bench.lifetime)
        }
        var alice = try Bench.group(client, suite)
        let bundle = try Bench.bundle("bob", suite)
        let commit = try alice.commit(CommitOptions([.add(bundle.keyPackage)]), in: environment)
        try alice.apply(commit)
        var bob = try Bench.join(commit, bundle)
        for size in [100, 10_240] {
            let data = [UInt8](repeating: 1, count: size)
            var copy = alice
            _ = try watch.microseconds("encrypt \(size) B\(suffix)", rounds: 5, calls: 200) {
                _ = try copy.encrypt(data, in: environment)
            }
            let encoded = try (0..<1_000).map { _ in try alice.encrypt(data, in: environment).encoded }
            var next = 0
            _ = try watch.microseconds("decrypt \(size) B\(suffix)", rounds: 5, calls: 200) {
                _ = try bob.process(encoded[next], in: environment)
                next += 1
            }
            watch.record("bytes of a \(size) B message\(suffix)", Double(encoded[0].count), "B")
        }
        _ = try watch.microseconds("commit of two\(suffix)", rounds: 5, calls: 20) {
            let commit = try alice.commit(in: environment)
            _ = commit
        }
    }
}

/// The values that the benchmarks share.
enum Bench {
    static let now = UInt64(Date().timeIntervalSince1970)
    static let lifetime = Lifetime(notBefore: now - 3_600, notAfter: now + 86_400)
    static let environment = MLSEnvironment(authentication: AcceptEveryCredential(), now: now)

    static func client(_ name: String, _ suite: CipherSuite) throws -> Client {
        // These are the capabilities that mls-rs sends by default. To make the sizes comparable, the clients send no GREASE, as
        // mls-rs sends none.
        let suites = (1...7).map { CipherSuite(rawValue: $0) } + (suite.rawValue > 7 ? [suite] : [])
        var client = Client(
            credential: .basic(identity: Array(name.utf8)), signer: try SignaturePrivateKey(generatingFor: suite),
            capabilities: Capabilities(cipherSuites: suites, proposals: []))
        client.carriesGREASE = false
        return client
    }

    static func bundle(_ name: String, _ suite: CipherSuite) throws -> KeyPackageBundle {
        try KeyPackageBundle(suite: suite, client: client(name, suite), lifetime: lifetime)
    }

    static func group(_ client: Client, _ suite: CipherSuite) throws -> Group {
        try Group(creating: [1], suite: suite, client: client, lifetime: lifetime, in: environment)
    }

    static func join(_ commit: PendingCommit, _ bundle: KeyPackageBundle) throws -> Group {
        guard case .welcome(let welcome)? = commit.welcome else { throw MLSError.joining(.notForThisKeyPackage) }
        return try Group(joining: welcome, with: bundle, in: environment)
    }

    static func staged(_ group: inout Group, _ message: [UInt8]) throws -> StagedCommit {
        guard case .commit(let staged) = try group.process(message, in: environment) else {
            throw MLSError.message(.wireFormat)
        }
        return staged
    }
}
