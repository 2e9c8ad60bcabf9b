import Foundation
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite(.timeLimit(.minutes(5))) struct FileTransferTests {
    @Test("files of several sizes arrive byte for byte, with their caption, and text does not wait behind them")
    func sent() async throws {
        try await withFilePeople { alice, bob, _ in
            let (toBob, toAlice) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            try await bob.profile.files.setAutoDownload(upTo: 0)
            let contents = [fileBytes(100), fileBytes(70_000), fileBytes(9_000_000)]
            let urls = try contents.enumerated().map { try alice.write("file\($0.offset).bin", $0.element) }
            let id = try await alice.profile.files.send(urls.map(FileToSend.file), caption: "three", to: toBob)
            try await alice.profile.send("and a text", to: toBob)
            let files = try await bob.received(toAlice, count: 3)
            #expect(files.map(\.file.name) == ["file0.bin", "file1.bin", "file2.bin"])
            #expect(files.map(\.file.size) == [100, 70_000, 9_000_000])
            #expect(files.allSatisfy { $0.message.id == id && $0.message.files?.caption == "three" })
            #expect(files.map(\.state) == [.onDevice, .atRelay, .atRelay])
            let target = bob.folder.appending(path: "target")
            try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
            let seq = try #require(files[0].message.seq)
            #expect(try await bob.profile.files.save(3, of: seq, in: toAlice, to: target) == nil)
            for (index, content) in contents.enumerated() {
                try await bob.profile.files.fetch(index + 1, of: seq, in: toAlice)
                let saved = try await bob.profile.files.save(index + 1, of: seq, in: toAlice, to: target)
                #expect(try FilePerson.bytes(saved) == content)
            }
            #expect(try await bob.profile.files.list(in: toAlice).map(\.state) == [.onDevice, .onDevice, .onDevice])
            // An existing file is not replaced.
            let second = try await bob.profile.files.save(3, of: seq, in: toAlice, to: target)
            #expect(second?.lastPathComponent == "file2 (2).bin")
            #expect(try FileManager.default.contentsOfDirectory(atPath: target.path).count == 4)
            try await eventually({ try await bob.profile.history(of: toAlice).compactMap(\.text) }) {
                $0 == ["and a text"]
            }
        }
    }

    @Test("a small file of a verified contact is downloaded without a request, and a larger one is not")
    func automatic() async throws {
        try await withFilePeople { alice, bob, _ in
            let (toBob, toAlice) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            try await bob.profile.files.setAutoDownload(upTo: 100_000)
            let small = try alice.write("small.bin", fileBytes(100_000))
            let large = try alice.write("large.bin", fileBytes(100_001))
            try await alice.profile.files.send([.file(small), .file(large)], to: toBob)
            _ = try await bob.received(toAlice, count: 2)
            try await eventually({ try await bob.profile.files.list(in: toAlice).map(\.state) }) {
                $0 == [.onDevice, .atRelay]
            }
            #expect(bob.keptFiles().count == 1)
        }
    }

    @Test("an expired message loses its files")
    func expired() async throws {
        try await withFilePeople { alice, bob, _ in
            let (toBob, toAlice) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            let url = try alice.write("secret.bin", fileBytes(80_000))
            try await alice.profile.files.send([.file(url)], to: toBob, expiresAfter: .seconds(4))
            try await eventually({ bob.keptFiles().count }) { $0 == 1 }
            try await eventually({ try await bob.profile.files.list(in: toAlice).count }) { $0 == 0 }
            try await eventually({ bob.keptFiles().count }) { $0 == 0 }
        }
    }

    @Test("closing a profile at any moment of a transfer delays the file, and nothing else")
    func interrupted() async throws {
        try await withFilePeople { alice, bob, _ in
            var (alice, bob) = (alice, bob)
            let (toBob, toAlice) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            try await bob.profile.files.setAutoDownload(upTo: 1 << 30)
            let content = fileBytes(30_000_000)
            try await alice.profile.files.send([.file(try alice.write("big.bin", content))], to: toBob)
            for _ in 0..<4 {
                alice = try await alice.reopened()
                bob = try await bob.reopened()
            }
            let seq = try #require(try await bob.received(toAlice).first?.message.seq)
            for _ in 0..<3 { bob = try await bob.reopened() }
            try await bob.profile.files.fetch(1, of: seq, in: toAlice)
            let saved = try await bob.profile.files.save(1, of: seq, in: toAlice, to: bob.folder)
            #expect(try FilePerson.bytes(saved) == content)
            #expect(try await bob.profile.files.list(in: toAlice).count == 1)
            await alice.profile.close()
            await bob.profile.close()
        }
    }

    @Test("a file that a crash has left behind is removed, and received files stay")
    func leftBehind() async throws {
        try await withFilePeople { alice, bob, _ in
            let (toBob, toAlice) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            try await alice.profile.files.send([.file(try alice.write("a", fileBytes(80_000)))], to: toBob)
            let seq = try #require(try await bob.received(toAlice).first?.message.seq)
            try await bob.profile.files.fetch(1, of: seq, in: toAlice)
            let kept = bob.keptFiles()
            let left = TransferID(rawValue: 77).fileName
            try Data([1]).write(to: bob.files.appending(path: left))
            let again = try await bob.reopened()
            try await eventually({ again.keptFiles() }) { !$0.contains(left) }
            #expect(again.keptFiles() == kept)
            await again.profile.close()
        }
    }
}
