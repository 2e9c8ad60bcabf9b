import MLS

/// Feeds a member genuine messages that the input damages, and then the genuine ones. A damaged message must never be
/// accepted, and the genuine ones always.
///
/// Input: pairs of (message, edits): one octet that chooses the message, one with the number of edits, and for each edit
/// two octets of position and one to combine.
@Sendable
func fuzzMLSProcess(_ bytes: [UInt8]) {
    var input = bytes.makeIterator()
    var member = Scene.shared.receiver
    while let choice = input.next() {
        let genuine = Scene.shared.messages[Int(choice) % Scene.shared.messages.count]
        var bytes = genuine
        for _ in 0..<(input.next() ?? 0) % 8 {
            let position = Int(input.next() ?? 0) << 8 | Int(input.next() ?? 0)
            bytes[position % bytes.count] ^= input.next() ?? 0
        }
        guard let result = try? member.process(bytes, in: Scene.environment) else { continue }
        precondition(bytes == genuine, "a damaged message was accepted")
        if case .commit(let commit) = result { precondition(!commit.effect.removesSelf) }
    }
    // Application messages may have been read already; the commit is always still to come.
    var last = member
    guard let result = try? last.process(Scene.shared.commit, in: Scene.environment), case .commit = result else {
        preconditionFailure("the genuine commit was refused")
    }
}

/// Two members and the messages that one of them sent, made once.
private struct Scene: Sendable {
    let receiver: Group
    let messages: [[UInt8]]
    let commit: [UInt8]

    static let environment = MLSEnvironment(authentication: AcceptEveryCredential(), now: 1_750_000_000)

    static let shared: Scene = {
        do { return try Scene() } catch { preconditionFailure("the scene cannot be made: \(error)") }
    }()

    private init() throws {
        let suite = CipherSuite.x25519AES128SHA256Ed25519
        let lifetime = Lifetime(notBefore: 1_749_000_000, notAfter: 1_751_000_000)
        func client(_ name: String) throws -> Client {
            Client(
                credential: .basic(identity: Array(name.utf8)), signer: try SignaturePrivateKey(generatingFor: suite))
        }
        var alice = try Group(
            creating: [1], suite: suite, client: client("alice"), lifetime: lifetime, in: Self.environment)
        let bob = try KeyPackageBundle(suite: suite, client: client("bob"), lifetime: lifetime)
        let added = try alice.commit(CommitOptions([.add(bob.keyPackage)]), in: Self.environment)
        try alice.apply(added)
        guard case .welcome(let welcome)? = added.welcome else { throw MLSError.internalError }
        receiver = try Group(joining: welcome, with: bob, in: Self.environment)
        var open = Self.environment
        open.configuration.encryptsHandshakes = false
        var messages = [
            try alice.encrypt([1, 2, 3], in: Self.environment).encoded,
            try alice.encrypt([UInt8](repeating: 9, count: 300), in: Self.environment).encoded,
        ]
        var copy = alice
        commit = try copy.commit(in: open).message.encoded
        messages += [commit, try copy.commit(in: Self.environment).message.encoded]
        messages.append(try copy.proposeUpdate(in: open).encoded)
        self.messages = messages
    }
}
