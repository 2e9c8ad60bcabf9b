import Foundation
import Testing

@testable import MLS

/// A kind of vector file, by the start of its name.
struct VectorKind: Sendable {
    let prefix: String
    let run: @Sendable (JSON, AlgorithmsOrNone) throws -> Void

    static let all: [VectorKind] = [
        VectorKind(prefix: "tree-math", run: BasicVectors.treeMath),
        VectorKind(prefix: "deserialization", run: BasicVectors.deserialization),
        VectorKind(prefix: "crypto-basics", run: BasicVectors.cryptoBasics),
        VectorKind(prefix: "secret-tree", run: KeyVectors.secretTree),
        VectorKind(prefix: "message-protection", run: MessageVectors.messageProtection),
        VectorKind(prefix: "key-schedule", run: KeyVectors.keySchedule),
        VectorKind(prefix: "psk_secret", run: KeyVectors.pskSecret),
        VectorKind(prefix: "transcript-hashes", run: KeyVectors.transcriptHashes),
        VectorKind(prefix: "welcome", run: MessageVectors.welcome),
        VectorKind(prefix: "tree-operations", run: TreeVectors.treeOperations),
        VectorKind(prefix: "tree-validation", run: TreeVectors.treeValidation),
        VectorKind(prefix: "treekem", run: TreeVectors.treeKEM),
        VectorKind(prefix: "messages", run: MessageVectors.messages),
        VectorKind(prefix: "passive-client", run: PassiveClientVectors.run),
    ]
}

/// The algorithms of a vector's suite; the kinds without a suite ignore them.
typealias AlgorithmsOrNone = Algorithms?

@Suite("Test vectors")
struct VectorFiles {
    /// `KITH_VECTORS`, or the folder beside the package.
    static let folder: URL =
        if let path = ProcessInfo.processInfo.environment["KITH_VECTORS"] {
            URL(fileURLWithPath: path)
        } else {
            URL(fileURLWithPath: #filePath).appending(path: "../../../../../shared/vectors/mls").standardized
        }

    static let files: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".json") }.sorted()

    @Test("the vectors are present, or their absence is printed")
    func folderPresent() {
        if Self.files.isEmpty { print("vectors: skipped, no files in \(Self.folder.path)") }
    }

    @Test("every vector of every file passes", arguments: files)
    func file(name: String) throws {
        let kind = try #require(
            VectorKind.all.filter { name.hasPrefix($0.prefix) }.max { $0.prefix.count < $1.prefix.count },
            "no runner for \(name)")
        let contents = try JSON(file: Self.folder.appending(path: name)).array()
        var ran = 0
        var skipped = 0
        for (index, vector) in contents.enumerated() {
            var algorithms: Algorithms?
            if !vector["cipher_suite"].isNull {
                algorithms = try vector.suite().algorithms
                if algorithms == nil {
                    skipped += 1
                    continue
                }
            }
            do {
                try kind.run(vector, algorithms)
            } catch {
                Issue.record("\(name)[\(index)]: \(error)")
            }
            ran += 1
        }
        print("vectors \(name): \(ran) ran, \(skipped) skipped")
        #expect(ran > 0, "nothing in \(name) ran")
    }
}

/// Fails the vector that is running.
func check(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw JSON.Missing(description: "wrong: \(what())") }
}

func required(_ algorithms: AlgorithmsOrNone) throws -> Algorithms {
    guard let algorithms else { throw JSON.Missing(description: "no cipher suite") }
    return algorithms
}
