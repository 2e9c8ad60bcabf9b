import Foundation
import TestSupport
import Testing

@testable import KithClient
@testable import kith

@Suite("Files in a chat") struct ChatFileTests {
    @Test("Tab completes the path of /file, the file arrives, and /get saves a file")
    func sentAndSaved() async throws {
        try await ChatFixture.run { fixture in
            let folder = fixture.relay.folder.appending(path: "own files")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(repeating: 7, count: 100_000).write(to: folder.appending(path: "picture one.bin"))
            try await fixture.atTerminal { terminal in
                try await terminal.wait(lastLine: "alice :")
                try await terminal.type("/file \(folder.path)/pic")
                try await terminal.press("Tab")
                try await terminal.press("Enter")
                try await fixture.bobGetsFile(ofBytes: 100_000)
                try await terminal.wait { $0.joined().contains("sent “picture one.bin”, 97 KiB; /get ") }
                try await fixture.bob.files.send(
                    [.file(folder.appending(path: "picture one.bin"))], caption: "yours", to: fixture.conversation)
                try await terminal.wait { $0.joined().contains("yours") }
                try await terminal.type("/files")
                try await terminal.press("Enter")
                try await terminal.wait { $0.joined().contains("from bob; ") }
            }
        }
    }

    @Test("typed paths may contain spaces, quotes and ~")
    func paths() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
        try Data().write(to: folder.url.appending(path: "a b.txt"))
        let path = folder.url.path
        #expect(TypedPath.paths("\(path)/a b.txt") == ["\(path)/a b.txt"])
        #expect(TypedPath.paths("\"\(path)/a b.txt\" /c") == ["\(path)/a b.txt", "/c"])
        #expect(TypedPath.paths("~/x") == ["\(NSHomeDirectory())/x"])
    }

    @Test("a path is completed up to the first difference")
    func completion() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
        for name in ["one.txt", "only", ".hidden"] { try Data().write(to: folder.url.appending(path: name)) }
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "deep"), withIntermediateDirectories: true)
        func completed(_ start: String) -> String? { TypedPath.completion(of: "/file \(folder.url.path)/\(start)") }
        #expect(completed("o") == "n")
        #expect(completed("one") == ".txt")
        #expect(completed("d") == "eep/")
        #expect(completed("x") == nil && completed("") == nil && completed("one.txt") == nil)
        #expect(TypedPath.completion(of: "hello \(folder.url.path)/o") == nil)
    }
}
