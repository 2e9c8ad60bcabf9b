import Foundation
import PrivateFiles
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Differences of file systems")
struct FileSystemTests {
    private func file(_ name: String, in folder: URL, _ content: String) throws -> String {
        let url = folder.appendingPathComponent(name)
        try Data(content.utf8).write(to: url)
        return url.path
    }

    private func content(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test("a new file gets its name with and without hard links, and replaces no other", arguments: [true, false])
    func naming(hasLinks: Bool) async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            func name(_ unfinished: String, _ path: String) -> Int32 {
                hasLinks ? FileSystem.name(unfinished, path) : FileSystem.rename(unfinished, claiming: path)
            }
            let first = try file("first.new", in: folder, "first")
            let second = try file("second.new", in: folder, "second")
            let path = folder.appendingPathComponent("file").path
            #expect(name(first, path) == 0)
            #expect(name(second, path) == EEXIST)
            #expect(try content(path) == "first")
            #expect(try content(second) == "second")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["file", "second.new"])
            #expect(name(second, folder.appendingPathComponent("no/where").path) == ENOENT)
            #expect(name(folder.appendingPathComponent("gone").path, folder.appendingPathComponent("x").path) == ENOENT)
            #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("x").path))
        }
    }

    @Test("a vault can be read where nothing can be written, and no file is made beside it")
    func readOnly() throws {
        let folder = VaultFolder()
        let store = try folder.create()
        try store.commit(.put(.contact, item: 1, "somebody"))
        try store.close()
        let before = try folder.names
        let database = try VaultDatabase(opening: folder.vault, canWrite: false)
        let reader = try VaultStore(
            ProfileFolder(folder.url), database, try folder.open(isReadOnly: true).key, isReadOnly: true)
        #expect(try reader.text(.contact, item: 1) == "somebody")
        #expect(throws: StoreError.self) { _ = try reader.enqueueForOwner([1]) }
        try reader.close()
        #expect(try folder.names == before)
    }

    @Test("the holder of a profile is found without writing, and only where its process number is valid")
    func holder() throws {
        let folder = VaultFolder()
        #expect(try Profile.holder(of: folder.url) == nil)
        #expect(!FileManager.default.fileExists(atPath: folder.url.path))
        let lock = try ProfileLock.acquire(in: folder.url)
        #expect(try Profile.holder(of: folder.url) == getpid())
        let file = folder.url.appendingPathComponent("profile.lock")
        let own = try String(contentsOf: file, encoding: .utf8)
        // The form of another container, and of an older version.
        for foreign in ["1 elsewhere-pid:[1]\n", "1\n", "\(getpid())\n"] {
            try Data(foreign.utf8).write(to: file)
            #expect(try Profile.holder(of: folder.url) == 0)
        }
        try Data(own.utf8).write(to: file)
        #expect(try Profile.holder(of: folder.url) == getpid())
        withExtendedLifetime(lock) {}
    }
}

@Suite("A lack of memory")
struct MemoryLackTests {
    @Test("is not reported as a wrong passphrase")
    func scrypt() {
        // More memory than any machine has.
        let parameters = ScryptParameters(.init(logRounds: 40, blockSize: 8, parallelism: 1))
        #expect(throws: ScryptParameters.Failure.self) { try parameters.key(from: "right") }
        do { _ = try parameters.key(from: "right") } catch {
            guard case .noMemory(let bytes) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(bytes == 1 << 50)
        }
        #expect(!KithError.noMemory(bytes: 1 << 27).description.contains("wrong"))
        #expect(KithError.noMemory(bytes: 1 << 27).description.contains("128 MiB"))
    }
}
