import Foundation
@_spi(Views) import MLS

/// Files that let another stack be measured on the same groups (see `compare.py`).
struct PeerFiles {
    let folder: URL
    private let suite = CipherSuite.x25519AES128SHA256Ed25519

    /// Reads the other stack's key packages `newcomer-*`, and writes: `welcome` into a warm group of `size` members, for
    /// them and for a newcomer of this stack beside the first; `commit`, the next warm commit there; `key-packages`, `size`
    /// − 1 of them, each with its length in front; `extra-key-package`; and `sizes`, the lengths of the newcomer's next
    /// commit and of a Welcome for the extra client, to be compared with those that the other stack's newcomers make from
    /// the same state.
    func write(size: Int) throws {
        let environment = Bench.environment
        let bundles = try (1..<size).map { try Bench.bundle("member \($0)", suite) }
        var packages = Data()
        for bundle in bundles {
            let encoded = bundle.message.encoded
            packages.append(contentsOf: withUnsafeBytes(of: UInt32(encoded.count).bigEndian) { Array($0) } + encoded)
        }
        try packages.write(to: folder.appending(path: "key-packages"))

        var cold = try Bench.group(Bench.client("creator", suite), suite)
        let added = try cold.commit(CommitOptions(bundles.map { .add($0.keyPackage) }), in: environment)
        try cold.apply(added)
        let warm = try WarmGroup(cold: cold, bundles: bundles)
        var newcomers = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasPrefix("newcomer-") }.sorted()
            .map { name -> KeyPackage in
                let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
                guard case .keyPackage(let keyPackage) = try MLSMessage.decode(bytes) else {
                    throw MLSError.message(.wireFormat)
                }
                return keyPackage
            }
        let own = try Bench.bundle("newcomer", suite)
        newcomers.insert(own.keyPackage, at: 1)
        var sender = warm.sender
        let commit = try sender.commit(CommitOptions(newcomers.map { .add($0) }), in: environment)
        try sender.apply(commit)
        try Data(commit.welcome?.encoded ?? []).write(to: folder.appending(path: "welcome"))
        let next = try sender.commit(in: environment)
        try Data(next.message.encoded).write(to: folder.appending(path: "commit"))

        var joined = try Bench.join(commit, own)
        try joined.apply(try Bench.staged(&joined, next.message.encoded))
        let extra = try Bench.bundle("extra", suite)
        try Data(extra.message.encoded).write(to: folder.appending(path: "extra-key-package"))
        let adding = try joined.commit(CommitOptions([.add(extra.keyPackage)]), in: environment)
        let sizes = [
            "warm commit bytes": try joined.commit(in: environment).message.encoded.count,
            "welcome bytes": adding.welcome?.encoded.count ?? 0,
        ]
        try JSONEncoder().encode(sizes).write(to: folder.appending(path: "sizes"))
    }
}
