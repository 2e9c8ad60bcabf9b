import Foundation
import KithSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("a backup")
struct BackupTests {
    private let folder = VaultFolder()
    private var file: URL { folder.url.appendingPathComponent("kith.backup") }
    private let passphrase = "correct horse"

    init() throws { try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true) }

    private func write(_ records: [[UInt8]]) throws {
        var writer = try BackupWriter(to: file, passphrase: passphrase, cost: .cheap)
        for record in records { try writer.append(record) }
        try writer.finish()
    }

    private func read(_ passphrase: String? = nil) throws(BackupError) -> [[UInt8]] {
        var reader = try BackupReader(from: file, passphrase: passphrase ?? self.passphrase)
        var records: [[UInt8]] = []
        while let record = try reader.next() { records.append(record) }
        return records
    }

    private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) } }

    @Test(
        "returns the written records",
        arguments: [
            [], [0], [1], [0, 0, 3], [65_532], [65_533], [65_534], [65_535, 1], [131_064], [131_068], [131_069],
            [1, 300_000, 2], Array(repeating: 1_000, count: 200), Array(repeating: 32_766, count: 4),
        ])
    func records(lengths: [Int]) throws {
        let records = lengths.map(bytes)
        try write(records)
        #expect(try read() == records)
        #expect(try folder.permissions()["kith.backup"] == 0o600)
        #expect(try folder.names == ["kith.backup"])
    }

    @Test("does not exist before it is finished, and leaves nothing if it never is")
    func unfinished() throws {
        do {
            var writer = try BackupWriter(to: file, passphrase: passphrase, cost: .cheap)
            try writer.append(bytes(200_000))
            #expect(!FileManager.default.fileExists(atPath: file.path))
        }
        #expect(try folder.names == [])
    }

    @Test("never replaces an existing file")
    func existing() throws {
        try Data("a letter".utf8).write(to: file)
        let taken = BackupError.file(PrivateFileError(.write, file, errno: EEXIST))
        #expect(throws: taken) { try write([]) }
        try FileManager.default.removeItem(at: file)
        let writer = try BackupWriter(to: file, passphrase: passphrase, cost: .cheap)
        try Data("a letter".utf8).write(to: file)
        do throws(BackupError) {
            try writer.finish()
            Issue.record("it was finished")
        } catch { #expect(error == taken) }
        #expect(try String(contentsOf: file, encoding: .utf8) == "a letter")
        #expect(try folder.names == ["kith.backup"])
    }

    @Test("does not open with another passphrase, and is not made with an empty one")
    func passphrases() throws {
        #expect(throws: BackupError.wrongPassphrase) {
            _ = try BackupWriter(to: file, passphrase: "", cost: .cheap)
        }
        #expect(try folder.names == [])
        try write([bytes(10)])
        #expect(throws: BackupError.wrongPassphrase) { try read("correct horsf") }
        #expect(throws: BackupError.wrongPassphrase) { try read("") }
    }

    @Test("opens with the same passphrase in other code points, as another machine's keyboard makes them")
    func codePoints() throws {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        #expect(!composed.utf8.elementsEqual(decomposed.utf8))
        var writer = try BackupWriter(to: file, passphrase: composed, cost: .cheap)
        try writer.append([1])
        try writer.finish()
        #expect(try read(decomposed) == [[1]])
        #expect(throws: BackupError.wrongPassphrase) { try read("cafe") }
    }

    @Test("a file that is no backup is refused", arguments: ["", "kith", "SQLite format 3\0", "kith vault\n"])
    func foreign(content: String) throws {
        try Data(content.utf8).write(to: file)
        #expect(throws: BackupError.notABackup) { try read() }
    }

    @Test("a backup of a newer version is refused")
    func newer() throws {
        try write([])
        try folder.edit(file) { $0[Backup.mark.count] = 2 }
        #expect(throws: BackupError.version(2)) { try read() }
    }

    @Test("does not open with any byte changed")
    func flippedBytes() throws {
        try write([bytes(40), bytes(3)])
        let good = Array(try Data(contentsOf: file))
        for index in good.indices {
            for mask: UInt8 in [1, 0x80] {
                var bad = good
                bad[index] ^= mask
                try Data(bad).write(to: file)
                #expect(throws: BackupError.self, "byte \(index)") { try read() }
            }
        }
    }

    @Test("does not open cut at any place, or with bytes appended")
    func truncation() throws {
        try write([bytes(40), bytes(3)])
        let good = Array(try Data(contentsOf: file))
        for length in 0..<good.count {
            try Data(good[..<length]).write(to: file)
            #expect(throws: BackupError.self, "\(length) bytes") { try read() }
        }
        for extra in [1, 15, 16, 17, 100] {
            try Data(good + bytes(extra)).write(to: file)
            #expect(throws: BackupError.damaged, "\(extra) more bytes") { try read() }
        }
    }

    @Test("does not open with a chunk missing, repeated, swapped or from another backup")
    func chunks() throws {
        let records = (0..<5).map { [UInt8](repeating: UInt8($0), count: 64 << 10) }
        try write(records)
        let good = Array(try Data(contentsOf: file))
        let length = Backup.chunkLength + Backup.tagLength
        let start = Backup.mark.count + 2 + ScryptParameters.encodedLength + WrappedKey.endLength
        let chunks = stride(from: start, to: good.count, by: length).map { good[$0..<min($0 + length, good.count)] }
        #expect(chunks.count == 6)
        func expectDamaged(_ chunks: [ArraySlice<UInt8>], _ comment: Comment) throws {
            try Data(good[..<start] + chunks.joined()).write(to: file)
            #expect(throws: BackupError.damaged, comment) { try read() }
        }
        for index in chunks.indices {
            var missing = chunks
            missing.remove(at: index)
            try expectDamaged(missing, "without \(index)")
            try expectDamaged(Array(chunks[...index]) + chunks[index...], "\(index) twice")
        }
        for index in 1..<chunks.count {
            var swapped = chunks
            swapped.swapAt(index, index - 1)
            try expectDamaged(swapped, "\(index) before \(index - 1)")
            try expectDamaged(Array(chunks[..<index]), "cut before \(index)")
        }
        try FileManager.default.removeItem(at: file)
        try write(records)
        let other = Array(try Data(contentsOf: file))
        try expectDamaged(
            stride(from: start, to: other.count, by: length).map { other[$0..<min($0 + length, other.count)] },
            "foreign")
    }

    @Test("a record above the readers' limit is not written")
    func tooLong() throws {
        var writer = try BackupWriter(to: file, passphrase: passphrase, cost: .cheap)
        do throws(BackupError) {
            try writer.append([UInt8](repeating: 0, count: ClientLimits.backupRecord + 1))
            Issue.record("it was taken")
        } catch { #expect(error == .tooLong(limit: ClientLimits.backupRecord)) }
        try writer.append([1])
        try writer.finish()
        #expect(try read() == [[1]])
    }

    @Test("reveals none of its contents")
    func canary() throws {
        let canary = Array("the canary sings at midnight".utf8)
        try write([canary, bytes(100_000), canary])
        let content = try Data(contentsOf: file)
        #expect(content.range(of: Data(canary)) == nil)
        #expect(content.range(of: Data(passphrase.utf8)) == nil)
    }
}
