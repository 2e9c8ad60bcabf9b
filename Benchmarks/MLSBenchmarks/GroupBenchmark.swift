import Foundation
@_spi(Views) import MLS

/// Measures a group of one size, first cold and then warm. In a cold group, all members were added in one commit, and no member
/// has committed since. In a warm group, every member has committed once.
struct GroupBenchmark {
    let size: Int
    private let suite = CipherSuite.x25519AES128SHA256Ed25519
    private let environment = Bench.environment

    func run(_ watch: inout Stopwatch) throws {
        let n = "n=\(size) "
        let rounds = size > 10_000 ? 1 : 3
        let creator = try Bench.group(Bench.client("creator", suite), suite)
        let bundles = try (1..<size).map { try Bench.bundle("member \($0)", suite) }
        let adds = CommitOptions(bundles.map { .add($0.keyPackage) })
        let commit = try watch.milliseconds(n + "add all in one commit", rounds: rounds) {
            var group = creator
            return try group.commit(adds, in: environment)
        }
        var group = creator
        try group.apply(commit)
        try watch.milliseconds(n + "join cold", rounds: rounds) { _ = try Bench.join(commit, bundles[0]) }
        let other = try Bench.join(commit, bundles[size / 2 - 1])
        let cold = try watch.milliseconds(n + "cold commit", rounds: rounds) {
            var copy = group
            return try copy.commit(in: environment)
        }
        let coldBytes = cold.message.encoded
        watch.record(n + "cold commit bytes", Double(coldBytes.count), "B")
        try watch.milliseconds(n + "process cold commit", rounds: rounds) {
            var copy = other
            _ = try Bench.staged(&copy, coldBytes)
        }
        watch.record(n + "peak memory so far", peakMemory() / 1e6, "MB")
        // A group becomes warm by a commit of each member, which takes minutes in larger groups.
        if size <= 20_000 { try warm(&watch, n, &group, bundles) }
    }

    private func warm(
        _ watch: inout Stopwatch, _ n: String, _ group: inout Group, _ bundles: [KeyPackageBundle]
    ) throws {
        let warmed = try WarmGroup(cold: group, bundles: bundles)
        let message = try watch.milliseconds(n + "create warm commit", rounds: 15) {
            var copy = warmed.sender
            return try copy.commit(in: environment)
        }
        let bytes = message.message.encoded
        watch.record(n + "warm commit bytes", Double(bytes.count), "B")
        try watch.milliseconds(n + "process warm commit", rounds: 15) {
            var copy = warmed.receiver
            _ = try Bench.staged(&copy, bytes)
        }
        let newcomer = try Bench.bundle("newcomer", suite)
        var host = warmed.sender
        let adding = try host.commit(CommitOptions([.add(newcomer.keyPackage)]), in: environment)
        watch.record(n + "welcome bytes", Double(adding.welcome?.encoded.count ?? 0), "B")
        try watch.milliseconds(n + "join warm", rounds: size > 1_000 ? 2 : 5) {
            _ = try Bench.join(adding, newcomer)
        }
        watch.record(
            n + "memory of a group per byte of its tree",
            try MemoryBenchmark.perByteOfTree(Bench.join(adding, newcomer)), "×")
    }
}

@_silgen_name("malloc_trim")
private func mallocTrim(_ keep: Int) -> CInt

/// Measures the memory of a group per byte of its encoded tree. This is measured in a fresh process, whose heap contains
/// nothing else.
enum MemoryBenchmark {
    static func perByteOfTree(_ group: Group) throws -> Double {
        let file = FileManager.default.temporaryDirectory.appending(path: "mls-benchmark-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        var lines = [group.epochState.copyBytes()]
        for record in group.records {
            guard let content = record.content else { continue }
            lines.append(withUnsafeBytes(of: record.key.rawValue.littleEndian) { Array($0) } + content.copyBytes())
        }
        var data = Data()
        for line in lines {
            data.append(contentsOf: withUnsafeBytes(of: UInt64(line.count).littleEndian) { Array($0) })
            data.append(contentsOf: line)
        }
        try data.write(to: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--restore", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? .nan) / Double(group.tree.encoded.count)
    }

    /// Runs in the fresh process. Restores the group, and prints the number of bytes by which the resident memory has grown.
    static func restore(_ path: String) throws {
        let data = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var parts: [[UInt8]] = []
        var at = 0
        while at < data.count {
            let length = number(data[at..<(at + 8)])
            parts.append(Array(data[(at + 8)..<(at + 8 + length)]))
            at += 8 + length
        }
        let state = SecretBytes(parts[0])
        let records = parts.dropFirst().compactMap { part in
            GroupRecordKey(rawValue: UInt64(number(part[..<8])))
                .map { GroupRecord(key: $0, content: SecretBytes(part[8...])) }
        }
        // This loads the program's own pages and the tables of the cryptographic primitives before the measurement.
        let suite = CipherSuite.x25519AES128SHA256Ed25519
        let small = try Bench.group(Bench.client("small", suite), suite)
        _ = try Group(restoring: small.epochState, records: small.records)
        _ = mallocTrim(0)
        let before = residentMemory()
        let group = try Group(restoring: state, records: records)
        // This returns memory that is no longer used to the system before the measurement.
        _ = mallocTrim(0)
        print(residentMemory() - before)
        withExtendedLifetime(group) {}
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}

/// A group in which every member has committed once.
struct WarmGroup {
    /// The view of the member that commits next.
    let sender: Group
    /// The view of the member that committed last, which has the private keys of its whole path.
    let receiver: Group

    /// Lets each member commit once. Each member commits in the epoch that the previous commit has opened. The members commit
    /// in the order of their leaf indices with reversed bits. In this order, the upper nodes are filled first, and few commits
    /// have many recipients.
    init(cold: Group, bundles: [KeyPackageBundle]) throws {
        let environment = Bench.environment
        var bits = 0
        while 1 << bits < bundles.count + 1 { bits += 1 }
        var current = cold
        for counter in 0..<(1 << bits) {
            let leaf = (0..<bits).reduce(0) { $0 << 1 | (counter >> $1) & 1 }
            guard leaf > 0, leaf <= bundles.count else { continue }
            let bundle = bundles[leaf - 1]
            var view = current.view(
                of: LeafIndex(rawValue: UInt32(leaf)), signer: bundle.signer, encryptionKey: bundle.encryptionKey)
            let commit = try view.commit(in: environment)
            try view.apply(commit)
            current = view
        }
        receiver = current
        // This is any member except the receiver. A commit needs the member's signature key, but not the private key of its
        // leaf.
        let other = bundles.count > 1 && receiver.ownLeafIndex.rawValue == 1 ? 1 : 0
        let index = LeafIndex(rawValue: UInt32(other + 1))
        sender =
            bundles.count > 1
            ? current.view(of: index, signer: bundles[other].signer, encryptionKey: bundles[other].encryptionKey) : cold
    }
}
