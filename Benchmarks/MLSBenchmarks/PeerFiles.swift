import Foundation
@_spi(Views) import MLS

/// The files with which another implementation of MLS is measured on the same groups (see `compare.py`).
struct PeerFiles {
    let folder: URL
    private let suite = CipherSuite.x25519AES128SHA256Ed25519

    /// Reads the other implementation's key packages from the files `newcomer-*`, and writes these files:
    ///
    /// - `welcome`: the Welcome into a warm group of `size` members, for the other implementation's newcomers and for one
    ///   newcomer of this module. The leaf of this newcomer follows the leaf of the first other newcomer.
    /// - `commit`: the next warm commit in that group.
    /// - `key-packages`: `size` − 1 key packages, each after its length.
    /// - `extra-key-package`: the key package of an extra client.
    /// - `sizes`: the lengths of this module's next commit and of its Welcome for the extra client, both made by its newcomer.
    ///   The other implementation's newcomers make the same two messages from the same state, so the lengths can be compared.
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
