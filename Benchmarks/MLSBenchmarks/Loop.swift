@_spi(Views) import MLS

/// Repeats one operation, for a profiler.
enum Loop {
    private static let operations =
        "encrypt, encrypt-long, commit, commit-x-wing, process-x-wing, add, join or join-warm"

    static func run(_ name: String, _ count: Int) throws {
        let suite: CipherSuite = name.hasSuffix("x-wing") ? .xWingAES128SHA256Ed25519 : .x25519AES128SHA256Ed25519
        let environment = Bench.environment
        let isLarge = name == "add" || name == "join" || name == "join-warm"
        var alice = try Bench.group(Bench.client("alice", suite), suite)
        let bundles = try (1..<(isLarge ? 1_000 : 2)).map { try Bench.bundle("member \($0)", suite) }
        let options = CommitOptions(bundles.map { .add($0.keyPackage) })
        var added = try alice.commit(options, in: environment)
        let before = alice
        try alice.apply(added)
        var body: () throws -> Void
        switch name {
        case "encrypt", "encrypt-long":
            let data = [UInt8](repeating: 1, count: name == "encrypt" ? 100 : 10_240)
            body = { _ = try alice.encrypt(data, in: environment).encoded }
        case "commit", "commit-x-wing": body = { _ = try alice.commit(in: environment) }
        case "process-x-wing":
            let bob = try Bench.join(added, bundles[0])
            let commit = try alice.commit(in: environment).message.encoded
            body = {
                var copy = bob
                _ = try Bench.staged(&copy, commit)
            }
        case "add":
            body = {
                var group = before
                _ = try group.commit(options, in: environment)
            }
        case "join": body = { _ = try Bench.join(added, bundles[0]) }
        case "join-warm":
            let newcomer = try Bench.bundle("newcomer", suite)
            var sender = try WarmGroup(cold: alice, bundles: bundles).sender
            added = try sender.commit(CommitOptions([.add(newcomer.keyPackage)]), in: environment)
            body = { _ = try Bench.join(added, newcomer) }
        default: return print(operations)
        }
        for _ in 0..<count { try body() }
    }
}
