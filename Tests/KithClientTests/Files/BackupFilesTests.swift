import Foundation
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite(.timeLimit(.minutes(5))) struct BackupFilesTests {
    @Test("a backup has the files that are on the device, and a restored profile saves them without the relay")
    func included() async throws {
        try await withFilePeople { alice, bob, _ in
            let (toBob, toAlice) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            let content = fileBytes(5_000_000)
            let urls = [try alice.write("here.bin", content), try alice.write("there.bin", fileBytes(6_000_000))]
            try await bob.profile.files.setAutoDownload(upTo: 5_500_000)
            try await alice.profile.files.send(urls.map(FileToSend.file), to: toBob)
            let seq = try #require(try await bob.received(toAlice, count: 2).first?.message.seq)
            try await bob.profile.files.fetch(1, of: seq, in: toAlice)
            for includesFiles in [true, false] {
                let file = bob.folder.appending(path: "backup \(includesFiles)")
                let damage = try await bob.profile.writeBackup(
                    to: file, passphrase: "abc", includesFiles: includesFiles, cost: .cheap)
                #expect(damage == DamageCount(entries: 0, otherValues: 0))
                let backup = try Profile.openBackup(at: file, passphrase: "abc")
                let folder = bob.folder.appending(path: "restored \(includesFiles)")
                let restored = try await Profile.restore(backup, in: folder, deviceName: "new", secret: .keyFile)
                let states = try await restored.files.list(in: toAlice).map(\.state)
                #expect(states == [includesFiles ? .onDevice : .atRelay, .atRelay])
                let saved = try await restored.files.save(1, of: seq, in: toAlice, to: bob.folder)
                if includesFiles {
                    #expect(try FilePerson.bytes(saved) == content)
                } else {
                    #expect(saved == nil)
                }
                await restored.close()
            }
            #expect(try await bob.profile.files.kept().count == 1)
        }
    }

    @Test("a missing file is counted as damage, and the rest of the backup is written")
    func missing() async throws {
        try await withFilePeople { alice, bob, _ in
            let (toBob, toAlice) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            try await alice.profile.files.send([.file(try alice.write("a", fileBytes(80_000)))], to: toBob)
            let seq = try #require(try await bob.received(toAlice).first?.message.seq)
            try await bob.profile.files.fetch(1, of: seq, in: toAlice)
            let name = try #require(bob.keptFiles().first)
            try FileManager.default.removeItem(at: bob.files.appending(path: name))
            let file = bob.folder.appending(path: "backup")
            let damage = try await bob.profile.writeBackup(to: file, passphrase: "abc", cost: .cheap)
            #expect(damage == DamageCount(entries: 0, otherValues: 1))
            // The file can be downloaded again.
            await #expect(throws: KithError.files(.damaged)) {
                try await bob.profile.files.save(1, of: seq, in: toAlice, to: bob.folder)
            }
            try await bob.profile.files.fetch(1, of: seq, in: toAlice)
            let saved = try await bob.profile.files.save(1, of: seq, in: toAlice, to: bob.folder)
            #expect(try FilePerson.bytes(saved) == fileBytes(80_000))
        }
    }

    @Test(
        "a part that does not follow the one before it is refused", arguments: [[1], [0, 3], [0, 0], [UInt64.max]])
    func offsets(offsets: [UInt64]) async throws {
        try await withTemporaryFolder { folder in
            let files = FilesFolder(ofProfile: folder)
            var records = offsets.map { BackupFileRecord.part(TransferID(rawValue: 1), offset: $0, [1, 2]).encoded }
            #expect(throws: KithError.backup(.damaged)) {
                try BackupFiles.restore(into: files) { () throws(KithError) in
                    records.isEmpty ? nil : records.removeFirst()
                }
            }
        }
    }
}
