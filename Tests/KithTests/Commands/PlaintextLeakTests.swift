import Foundation
import TestSupport
import Testing

@testable import kith

/// Two people with processes of their own, and a relay. Some processes are killed while they work.
@Suite("Readable text", .timeLimit(.minutes(5)))
struct PlaintextLeakTests {
    private let canary = "the canary sings at midnight"

    @Test("is in no file and no error message after kills")
    func canaries() async throws {
        try await withTemporaryFolder { folder in
            let temporary = folder.appendingPathComponent("temporary")
            try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
            let environment = ["TMPDIR": temporary.path]
            let relay = try await StormRelay(in: folder, environment: environment)
            let (ann, bob) = (try await CommandPerson("Ann", in: folder), try await CommandPerson("Bob", in: folder))
            var complaints: [String] = []
            let invite = try await ann.run(
                "invite", "--relay", relay.address, "--pin", relay.pin, environment: environment)
            let joined = try await bob.run(
                "join", try #require(invite.lines.first, "\(invite.complaints)"), environment: environment)
            let sent = try await bob.run("send", "Ann", "\(canary), says Bob", environment: environment)
            #expect(sent.code == 0)
            complaints += invite.complaints + joined.complaints + sent.complaints

            let annListens = try ann.start(["listen", "--json"], environment: environment)
            while let line = await annListens.line(), !line.contains(canary) {}
            // Many texts, so that the kills interrupt their delivery.
            for number in 1...100 {
                try annListens.write(#"{"send":{"to":"Bob","text":"\#(canary), \#(number)"},"ref":\#(number)}"#)
            }
            while let line = await annListens.line(), !line.contains(#""event":"sent""#) {}
            await relay.kill()
            annListens.signal(SIGKILL)
            #expect(await annListens.exitCode() == SIGKILL)
            complaints += await annListens.complaintsLeft()
            try look(everywhereIn: folder, homes: [ann.folder, bob.folder, relay.data])

            try await relay.start()
            let annAgain = try ann.start(["listen", "--json"], environment: environment)
            let bobListens = try bob.start(["listen", "--json"], environment: environment)
            while let line = await bobListens.line(), !line.contains("\(canary), 1\"") {}
            bobListens.signal(SIGKILL)
            annAgain.signal(SIGKILL)
            _ = await (bobListens.exitCode(), annAgain.exitCode())
            complaints += await bobListens.complaintsLeft() + annAgain.complaintsLeft()
            try look(everywhereIn: folder, homes: [ann.folder, bob.folder, relay.data])
            await relay.kill()
            complaints += await relay.complaints()
            #expect(!complaints.contains { $0.contains(canary) })
            // The recipient can still read all texts.
            #expect(try await bob.run("search", canary, environment: environment).lines.count > 1)
        }
    }

    private func look(everywhereIn folder: URL, homes: [URL]) throws {
        var databases = 0
        for file in try files(in: folder) {
            let bytes = try Data(contentsOf: file)
            #expect(bytes.range(of: Data(canary.utf8)) == nil, "\(file.path)")
            // The encoding that some programs use.
            #expect(bytes.range(of: Data(canary.utf16.flatMap { [UInt8($0 & 0xff), 0] })) == nil, "\(file.path)")
            if bytes.range(of: Data("SQLite format 3".utf8)) != nil { databases += 1 }
        }
        #expect(databases >= 3, "the search finds what is there")
        for home in homes {
            for url in try [home] + everything(in: home) {
                let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
                let isFolder = attributes[.type] as? FileAttributeType == .typeDirectory
                // The test itself created the home.
                guard url != home || url.lastPathComponent == "relay" else { continue }
                #expect((attributes[.posixPermissions] as? Int) == (isFolder ? 0o700 : 0o600), "\(url.path)")
            }
        }
    }

    private func everything(in folder: URL) throws -> [URL] {
        let all = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        return all.allObjects.compactMap { $0 as? URL }
    }

    private func files(in folder: URL) throws -> [URL] {
        try everything(in: folder).filter { url in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && !isFolder.boolValue
        }
    }
}
