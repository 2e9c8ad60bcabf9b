import MLS

/// One operation over and over, for a profiler.
enum Loop {
    static func run(_ name: String, _ count: Int) throws {
        let suite = CipherSuite.x25519AES128SHA256Ed25519
        let environment = Bench.environment
        var alice = try Bench.group(Bench.client("alice", suite), suite)
        switch name {
        case "encrypt", "encrypt-long":
            let data = [UInt8](repeating: 1, count: name == "encrypt" ? 100 : 10_240)
            for _ in 0..<count { _ = try alice.encrypt(data, in: environment).encoded }
        case "add", "join":
            let bundles = try (1..<1_000).map { try Bench.bundle("member \($0)", suite) }
            let options = CommitOptions(bundles.map { .add($0.keyPackage) })
            let added = try alice.commit(options, in: environment)
            for _ in 0..<count {
                if name == "join" {
                    _ = try Bench.join(added, bundles[0])
                } else {
                    _ = try alice.commit(options, in: environment)
                }
            }
        default: print("encrypt, encrypt-long, add or join")
        }
    }
}
