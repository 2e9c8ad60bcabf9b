import Foundation
import KithSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite struct FilesFolderTests {
    @Test("files that the vault does not name are removed, unless a process is writing them")
    func unknown() async throws {
        try await withTemporaryFolder { folder in
            let files = FilesFolder(ofProfile: folder)
            let (known, left, locked) = (TransferID(rawValue: 1), TransferID(rawValue: 2), TransferID(rawValue: 3))
            for id in [known, left] { _ = try files.makeFile(id) }
            let writer = try files.makeFile(locked)
            #expect(writer.lock())
            files.removeUnknown { [known] }
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "files").path)
            #expect(Set(names) == [known.fileName, locked.fileName])
            let attributes = try FileManager.default.attributesOfItem(
                atPath: folder.appending(path: "files/\(known.fileName)").path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test(
        "bytes from a pipe are read back at any range, whatever their number",
        arguments: [0, 1, 65_536, 65_537, 300_000])
    func spool(size: Int) async throws {
        try await withTemporaryFolder { folder in
            let files = FilesFolder(ofProfile: folder)
            let content = fileBytes(size)
            var spool = try Spool(in: files)
            for start in stride(from: 0, to: size, by: 70_001) {
                try spool.append(content[start..<min(size, start + 70_001)])
            }
            try spool.finish()
            let source = try UploadSource(
                .spool(spool.id, key: spool.key), size: UInt64(size), in: files)
            for range in [0..<size, size / 3..<size / 2, max(0, size - 1)..<size] where !range.isEmpty {
                #expect(try source.read(UInt64(range.lowerBound)..<UInt64(range.upperBound)) == Array(content[range]))
            }
            let stored = try Data(contentsOf: folder.appending(path: "files/\(spool.id.fileName)"))
            #expect(stored.count == size + 16 * max(1, (size + 65_535) / 65_536))
        }
    }

    @Test("metadata of a picture is left out, and a folder or a pipe is refused")
    func sources() async throws {
        try await withTemporaryFolder { folder in
            let picture = folder.appending(path: "a.gif")
            let clean: [UInt8] = Array("GIF89a".utf8) + [1, 0, 1, 0, 0, 0, 0]
            let comment: [UInt8] = [0x21, 0xfe, 3] + Array("abc".utf8) + [0]
            let image: [UInt8] = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b]
            try Data(clean + comment + image).write(to: picture)
            let source = try UploadSource(path: picture.path, cleans: true)
            #expect(try source.read(0..<source.size) == clean + image)
            #expect(try source.read(10..<20) == Array((clean + image)[10..<20]))
            let whole = try UploadSource(path: picture.path, cleans: false)
            #expect(try whole.read(0..<whole.size) == clean + comment + image)
            #expect(throws: PrivateFileError.self) { try UploadSource(path: folder.path, cleans: true) }
            #expect(mkfifo(folder.appending(path: "pipe").path, 0o600) == 0)
            #expect(throws: PrivateFileError.self) {
                try UploadSource(path: folder.appending(path: "pipe").path, cleans: true)
            }
        }
    }

    @Test(
        "a file is saved only under a name in the folder itself",
        arguments: ["", ".", "..", "../a", "a/\u{E0020}b", "a\u{0}"])
    func names(name: String) throws {
        let folder = URL(fileURLWithPath: "/tmp", isDirectory: true)
        #expect(throws: PrivateFileError(.write, folder, errno: EINVAL)) { try SavedFile.checked(name, in: folder) }
        #expect(try SavedFile.checked("..a", in: folder) == "..a")
    }

    @Test("a picture whose metadata was left out is not sent with its metadata later")
    func notCleaned() async throws {
        try await withTemporaryFolder { folder in
            let folder = folder.resolvingSymlinksInPath()
            let picture = folder.appending(path: "a.gif")
            let clean: [UInt8] = Array("GIF89a".utf8) + [1, 0, 1, 0, 0, 0, 0]
            let image: [UInt8] = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b]
            try Data(clean + image).write(to: picture)
            let files = FilesFolder(ofProfile: folder)
            let sources = try [true, false].map { try UploadSource(path: picture.path, cleans: $0) }
            try Data(clean + [0x21]).write(to: picture)
            #expect(throws: UploadSource.NotCleaned.self) {
                try UploadSource(sources[0].source, size: sources[0].size, in: files)
            }
            #expect(try UploadSource(sources[1].source, size: sources[1].size, in: files).size == 14)
        }
    }

    @Test("a file is sent through a link, but a path that became a link later is refused", arguments: [false, true])
    func links(linksFolder: Bool) async throws {
        try await withTemporaryFolder { folder in
            let folder = folder.resolvingSymlinksInPath()
            let files = FilesFolder(ofProfile: folder)
            let (mine, other) = (folder.appending(path: "mine"), folder.appending(path: "other"))
            for folder in [mine, other] {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try Data([1, 2]).write(to: folder.appending(path: "a"))
            }
            let link = folder.appending(path: "link")
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: mine.appending(path: "a"))
            let source = try UploadSource(path: link.path, cleans: true)
            #expect(try UploadSource(source.source, size: 2, in: files).read(0..<2) == [1, 2])
            let replaced = linksFolder ? mine : mine.appending(path: "a")
            try FileManager.default.removeItem(at: replaced)
            try FileManager.default.createSymbolicLink(
                at: replaced, withDestinationURL: linksFolder ? other : other.appending(path: "a"))
            #expect(throws: PrivateFileError.self) { try UploadSource(source.source, size: 2, in: files) }
        }
    }

    @Test("a save replaces what an interrupted one has left behind, but not what another process writes")
    func unfinished() async throws {
        try await withTemporaryFolder { folder in
            let message = FileMessage(
                caption: "",
                attachments: [
                    AttachedFile(label: FileLabel(name: "a.txt", mediaType: ""), place: .inline(Array("hello".utf8)))
                ])
            let content = FileContent(
                name: try #require(MessageFiles(message).files.first).name, bytes: .inMessage(Array("hello".utf8)))
            func names() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            }
            let part = ".kith-2cf24dba5fb0a30e.part"
            try Data(repeating: 7, count: 100).write(to: folder.appending(path: part))
            let files = FilesFolder(ofProfile: folder)
            let url = try #require(try SavedFile.save(content, from: files, to: folder))
            #expect(try names() == ["a.txt"])
            #expect(try Data(contentsOf: url) == Data("hello".utf8))
            // A crash may leave both names of a complete file.
            try FileManager.default.linkItem(at: url, to: folder.appending(path: part))
            #expect(try SavedFile.save(content, from: files, to: folder)?.lastPathComponent == "a (2).txt")
            #expect(try Data(contentsOf: url) == Data("hello".utf8))
            let writer = try LocalFile(writing: folder.appending(path: part).path)
            #expect(writer.lock())
            _ = try SavedFile.save(content, from: files, to: folder)
            #expect(try names() == [part, "a (2).txt", "a (3).txt", "a.txt"])
            #expect(writer.size == 0)
        }
    }
}
