import Foundation
import TestSupport
import Testing

@testable import kith

@Suite("Every command")
struct EveryCommandTests {
    /// All commands.
    private static let commands = [
        "init", "host", "invite", "join", "chat", "send", "listen", "list", "history", "search", "files", "get",
        "group create",
        "group members",
        "group add", "group remove", "group leave", "group rename", "verify", "contacts", "contacts list",
        "contacts show",
        "contacts rename", "contacts block", "contacts unblock", "contacts delete", "group delete", "requests",
        "requests list", "requests accept", "requests ignore", "requests block", "delete", "rename-me", "archive",
        "unarchive",
        "mute", "unmute", "register",
        "lookup",
        "status",
        "explain", "react", "edit", "pin", "timer", "passphrase", "export", "import", "relay run", "relay status",
        "relay audit", "relay drop",
        "classic", "demo",
    ]

    @Test("has help with examples, and its exit code is 0", arguments: commands)
    func help(_ command: String) async throws {
        try await withTemporaryFolder { folder in
            let help = try KithProcess(
                command.split(separator: " ").map(String.init) + ["--help"], folder: folder)
            try help.endInput()
            let lines = await help.rest()
            #expect(await help.exitCode() == 0)
            #expect(lines.contains { $0.hasPrefix("OVERVIEW: ") })
            #expect(lines.contains("EXAMPLES"))
            // The first subcommand of some is the default.
            let typed =
                ["relay run": "relay", "contacts list": "contacts", "requests list": "requests"][command] ?? command
            let start = try #require(lines.firstIndex(of: "EXAMPLES"))
            let examples = lines[start...].dropFirst().prefix { $0.hasPrefix("  ") }
            #expect(examples.contains { $0.hasPrefix("  kith ") && $0.contains("kith \(typed)") })
        }
    }

    @Test("is in this list if `kith --help` names it")
    func listed() async throws {
        try await withTemporaryFolder { folder in
            let help = try KithProcess(["--help"], folder: folder)
            try help.endInput()
            let lines = await help.rest()
            let start = try #require(lines.firstIndex { $0.hasSuffix("SUBCOMMANDS:") })
            var named: [String] = []
            for line in lines[start...] {
                let words = line.split(separator: " ")
                guard let first = words.first, first != "See" else { continue }
                if line.prefix(3).count(where: { $0 == " " }) == 2 {
                    named.append(String(first))
                }
            }
            #expect(named.count > 15)
            let known = Set(Self.commands.compactMap { $0.split(separator: " ").first.map(String.init) })
            #expect(Set(named).subtracting(known) == [])
        }
    }

    /// Runs a command, which must succeed and print only objects.
    private func objects(_ person: CommandPerson, _ arguments: String...) async throws -> [[String: Any]] {
        let outcome = try await person.run(arguments + ["--json"])
        #expect(outcome.code == 0, "\(arguments): \(outcome.complaints)")
        #expect(outcome.objects.count == outcome.lines.count, "\(arguments): \(outcome.lines)")
        return outcome.objects
    }

    @Test("with --json prints one object a line")
    func json() async throws {
        try await withAnnAndBob { ann, bob, relay in
            for person in [ann, bob] {
                _ = try await objects(person, "listen", "--timeout", "1s")
                try await person.listen {
                    try await person.run("list", "--json").objects.first?["answered"] as? Bool == true
                }
            }
            let sent = try await objects(ann, "send", "Bob", "a text")
            #expect(sent.first?["text"] as? String == "a text")
            #expect(try await objects(ann, "list").first?["name"] as? String == "Bob")
            #expect(try await objects(ann, "history", "Bob").last?["text"] as? String == "a text")
            #expect(try await objects(ann, "search", "text").count == 1)
            #expect(try await objects(ann, "contacts").first?["name"] as? String == "Bob")
            #expect(try await objects(ann, "status").first?["name"] as? String == "Ann")
            #expect(try await objects(ann, "verify", "Bob").count == 1)
            let seq = try #require(sent.first?["seq"] as? Int)
            #expect(try await objects(ann, "explain", "Bob", "\(seq)").first?["story"] as? [String] != nil)
            #expect(try await objects(ann, "invite", "--list").isEmpty)
            #expect(try await objects(ann, "invite").first?["line"] as? String != nil)
            #expect(try await objects(ann, "register", "annie", "--relay", relay).count == 1)
            #expect(try await objects(bob, "lookup", "annie", "--relay", relay).count == 1)
            #expect(try await objects(ann, "group", "create", "team", "Bob").first?["name"] as? String == "team")
            #expect(try await objects(ann, "group", "rename", "team", "crew").count == 1)
        }
    }

    @Test("with --json prints one object a line: rarer commands")
    func seldom() async throws {
        try await withTemporaryFolder { folder in
            let relay = try await StormRelay(in: folder)
            let (ann, bob) = (try await CommandPerson("Ann", in: folder), try await CommandPerson("Bob", in: folder))
            let more = try await objects(ann, "init", "--yes", "--no-passphrase", "--name", "Nan", "--profile", "more")
            #expect(more.first?["name"] as? String == "Nan")
            let line = try #require(
                try await objects(ann, "invite", "--relay", relay.address, "--pin", relay.pin).first?["line"])
            #expect(try await objects(bob, "join", try #require(line as? String)).first?["name"] as? String == "Ann")
            _ = try await objects(bob, "send", "Ann", "here I am")
            try await ann.hear("here I am")
            #expect(try await objects(ann, "contacts", "show", "Bob").first?["name"] as? String == "Bob")
            #expect(try await objects(ann, "contacts", "rename", "Bob", "Bo").first?["name"] as? String == "Bo")
            #expect(try await objects(ann, "status", "--check").count == 1)
            #expect(try await objects(ann, "group", "create", "team", "Bo").count == 1)
            #expect(try await objects(ann, "group", "members", "team").count == 2)
            #expect(try await objects(ann, "group", "remove", "team", "Bo").first?["members"] as? Int == 1)
            #expect(try await objects(ann, "group", "add", "team", "Bo").first?["members"] as? Int == 2)
            #expect(try await objects(ann, "group", "remove", "team", "Bo").count == 1)
            #expect(try await objects(ann, "group", "leave", "team").first?["status"] as? String == "left")

            let passphrase = folder.appendingPathComponent("passphrase")
            try Data("of the backup\n".utf8).write(to: passphrase)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: passphrase.path)
            let backup = folder.appendingPathComponent("backup").path
            #expect(
                try await objects(ann, "export", backup, "--passphrase-file", passphrase.path).first?["bytes"] != nil)
            let restored = try await objects(
                bob, "import", backup, "--passphrase-file", passphrase.path, "--yes", "--profile", "restored")
            #expect(restored.first?["name"] as? String == "Ann")
            #expect(
                try await objects(ann, "passphrase", "--none", "--profile", "more").first?["passphrase"] as? Bool
                    == false)

            #expect(try await objects(ann, "relay", "status", "--relay", relay.address, "--pin", relay.pin).count == 1)
            #expect(try await objects(ann, "relay", "audit", "--data", relay.data.path).count > 2)
            let host = try ann.start(["host", "--json", "--listen", "127.0.0.1:0", "--profile", "more"])
            let hosting = try JSONSerialization.jsonObject(with: Data((await host.line() ?? "").utf8))
            #expect((hosting as? [String: Any])?["event"] as? String == "hosting")
            host.signal(SIGTERM)
            #expect(await host.exitCode() == 0)
            await relay.kill()
        }
    }
}
