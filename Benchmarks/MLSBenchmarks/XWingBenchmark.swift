import Crypto
import MLS

/// Measures the operations of an X-Wing cipher suite, and compares each with the KEM operations and signatures that it
/// contains. Each compared signature covers as many bytes as the signature in the operation.
struct XWingBenchmark {
    private let suite = CipherSuite.xWingAES128SHA256Ed25519
    private let environment = Bench.environment

    func run(_ watch: inout Stopwatch) throws {
        let client = try Bench.client("alice", suite)
        var alice = try Bench.group(client, suite)
        let bundle = try Bench.bundle("bob", suite)
        let adding = try alice.commit(CommitOptions([.add(bundle.keyPackage)]), in: environment)
        try alice.apply(adding)
        let bob = try Bench.join(adding, bundle)
        let commit = try alice.commit(in: environment).message.encoded
        let leaf = bundle.keyPackage.leafNode.encoded.count
        let package = bundle.keyPackage.encoded.count

        let signature = Signatures()
        let kem = try KEMOperations()
        try compare(&watch, "key package") {
            _ = try KeyPackageBundle(suite: suite, client: client, lifetime: Bench.lifetime)
        } contained: {
            try kem.generate()
            try kem.generate()
            try signature.sign(leaf)
            try signature.sign(package)
        }
        try compare(&watch, "commit of two") {
            _ = try alice.commit(in: environment)
        } contained: {
            try kem.generate()
            try kem.generate()
            try kem.encapsulate()
            try signature.sign(leaf)
            try signature.sign(commit.count)
        }
        try compare(&watch, "process commit of two") {
            var copy = bob
            _ = try Bench.staged(&copy, commit)
        } contained: {
            try kem.generate()
            try kem.decapsulate()
            signature.verify(leaf)
            signature.verify(commit.count)
        }
        try compare(&watch, "join of two") {
            _ = try Bench.join(adding, bundle)
        } contained: {
            // A join decrypts the Welcome's secrets, makes a key pair from the path secret, and verifies three signatures: of
            // both leaves, and of the GroupInfo.
            try kem.decapsulate()
            try kem.generate()
            signature.verify(leaf)
            signature.verify(leaf)
            signature.verify(leaf * 3)
        }
    }

    private func compare(
        _ watch: inout Stopwatch, _ name: String, _ operation: () throws -> Void, contained: () throws -> Void
    ) throws {
        let whole = try watch.microseconds("x-wing \(name)", calls: 60, operation)
        let part = try watch.microseconds("x-wing \(name), KEM and signatures in it", calls: 60, contained)
        watch.record("x-wing \(name), whole to part", whole / part, "×")
    }
}

/// Ed25519 over messages of given lengths.
private struct Signatures {
    private let key = Curve25519.Signing.PrivateKey()
    private let message = [UInt8](repeating: 7, count: 1 << 14)

    func sign(_ count: Int) throws { _ = try key.signature(for: message[..<count]) }

    func verify(_ count: Int) { _ = key.publicKey.isValidSignature(Self.any, for: message[..<count]) }

    /// The signature is for other messages, but verification still does all its work: only the last comparison fails.
    private static let any: [UInt8] =
        (try? Curve25519.Signing.PrivateKey().signature(for: [1])).map { Array($0) } ?? []
}

/// X-Wing with one key pair.
private struct KEMOperations {
    private let key: XWingMLKEM768X25519.PrivateKey
    private let publicKey: XWingMLKEM768X25519.PublicKey
    private let encapsulated: KEM.EncapsulationResult

    init() throws {
        key = try XWingMLKEM768X25519.PrivateKey()
        publicKey = key.publicKey
        encapsulated = try publicKey.encapsulate()
    }

    func generate() throws { _ = try XWingMLKEM768X25519.PrivateKey() }
    func encapsulate() throws { _ = try publicKey.encapsulate() }
    func decapsulate() throws { _ = try key.decapsulate(encapsulated.encapsulated) }
}
