import Foundation
import TestSupport
import Testing

@testable import kith

/// A person whose machine is lost, with the relay of `kith host` on it.
@Suite("A moved host", .timeLimit(.minutes(5)))
struct MovedHostTests {
    /// A running `kith host`, with the line and the address that it has printed.
    private struct Hosting {
        let process: KithProcess
        let line: String
        let address: String

        func stop() async {
            process.signal(SIGTERM)
            _ = await process.rest()
            _ = await process.exitCode()
        }
    }

    private func host(_ person: CommandPerson, _ options: String...) async throws -> Hosting {
        let process = try person.start(["host", "--yes", "--no-chat", "--json"] + options)
        let text = try #require(await process.line())
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        return Hosting(
            process: process, line: try #require(object["invite"] as? String),
            address: try #require(object["relay"] as? String))
    }

    @Test("is met again by a new invite, also at the old address with a new key")
    func metAgain() async throws {
        try await withTemporaryFolder { folder in
            let ann = try await CommandPerson("Ann", in: folder)
            let bob = try await CommandPerson("Bob", in: folder)
            let first = try await host(ann, "--listen", "127.0.0.1:0")
            #expect(try await bob.run("join", "--no-chat", first.line).code == 0)
            _ = await first.process.line()
            await first.stop()
            let passphrase = folder.appendingPathComponent("passphrase")
            try Data("of the backup".utf8).write(to: passphrase)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: passphrase.path)
            let options = ["--passphrase-file", passphrase.path]
            let backup = folder.appendingPathComponent("backup").path
            #expect(try await ann.run(["export", backup] + options).code == 0)
            let there = try await CommandPerson("Zoe", in: folder)
            let imported = try await there.run(
                ["import", backup, "--yes", "--no-passphrase", "--profile", "again"] + options)
            #expect(imported.code == 0, "\(imported.complaints)")

            let second = try await host(there, "--listen", first.address, "--profile", "again")
            #expect(second.address == first.address)
            let joined = try await bob.run("join", "--no-chat", second.line)
            #expect(joined.code == 0 && joined.lines == ["Ann"], "\(joined.complaints)")
            #expect(
                joined.complaints.last
                    == "[your earlier conversation with Ann, '#1', stays at its relay, \(first.address); the name means the new one from now on]"
            )
            #expect(!joined.complaints.contains { $0.contains("key is not the expected one") })
            // The name means the new conversation.
            let sent = try await bob.run("send", "Ann", "hello again")
            #expect(sent.code == 0 && sent.complaints.isEmpty, "\(sent.complaints)")
            #expect(try await bob.run("history", "#2").lines.last?.hasSuffix("you: hello again") == true)
            #expect(try await bob.run("history", "#1").lines.allSatisfy { !$0.contains("hello again") })
            await second.stop()
        }
    }
}
