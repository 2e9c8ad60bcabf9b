import Foundation
import Testing

@testable import kith

@Suite("Every command")
struct EveryCommandTests {
    /// All commands that a user may type, as the program itself lists them.
    private static let commands = [
        "init", "host", "invite", "join", "chat", "send", "listen", "list", "history", "search", "group create",
        "group add", "group remove", "group leave", "group rename", "verify", "contacts", "register", "lookup",
        "status",
        "explain", "passphrase", "export", "import", "relay run", "relay status", "relay audit", "classic", "demo",
    ]

    @Test("has help that ends well and shows how it is used", arguments: commands)
    func help(_ command: String) async throws {
        try await withTemporaryFolder { folder in
            let help = try KithProcess(
                command.split(separator: " ").map(String.init) + ["--help"], folder: folder)
            try help.endInput()
            let lines = await help.rest()
            #expect(await help.exitCode() == 0)
            #expect(lines.contains { $0.hasPrefix("OVERVIEW: ") })
            #expect(lines.contains("EXAMPLES"))
            let typed = command == "relay run" ? "relay" : command
            #expect(lines.contains { $0.hasPrefix("  ") && $0.contains("kith \(typed)") })
        }
    }

    @Test("is in the list: nothing that `kith --help` names is forgotten here")
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

    @Test("that offers --json prints objects, one a line")
    func json() async throws {
        try await withAnnAndBob { ann, bob, relay in
            func objects(_ person: CommandPerson, _ arguments: String...) async throws -> [[String: Any]] {
                let outcome = try await person.run(arguments + ["--json"])
                #expect(outcome.code == 0, "\(arguments): \(outcome.complaints)")
                #expect(outcome.objects.count == outcome.lines.count, "\(arguments): \(outcome.lines)")
                return outcome.objects
            }
            _ = try await objects(ann, "listen", "--timeout", "2s")
            _ = try await objects(bob, "listen", "--timeout", "2s")
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

    @Test("leaves nothing readable: no text in any file of either side, and every file its owner's alone")
    func nothingReadable() async throws {
        try await withAnnAndBob { ann, bob, _ in
            let canary = "the canary sings at midnight"
            _ = try await ann.run("listen", "--timeout", "2s")
            _ = try await ann.run("send", "Bob", canary)
            let listener = try bob.start(["listen", "--json"])
            while let line = await listener.line() {
                if line.contains(canary) { break }
            }
            try listener.write(#"{"send":{"to":"Ann","text":"\#(canary), says Bob"},"ref":1}"#)
            while let line = await listener.line() {
                if line.contains(#""event":"sent""#) { break }
            }
            listener.signal(SIGKILL)
            _ = await listener.exitCode()
            let complaints = await listener.complaintsLeft().joined()
            #expect(!complaints.contains(canary))
            var files = 0
            for home in [ann.folder, bob.folder] {
                let all = try #require(FileManager.default.enumerator(at: home, includingPropertiesForKeys: nil))
                for case let url as URL in all.allObjects {
                    let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
                    let isFolder = attributes[.type] as? FileAttributeType == .typeDirectory
                    #expect((attributes[.posixPermissions] as? Int) == (isFolder ? 0o700 : 0o600), "\(url.path)")
                    guard !isFolder else { continue }
                    files += 1
                    let bytes = try Data(contentsOf: url)
                    #expect(bytes.range(of: Data(canary.utf8)) == nil, "\(url.lastPathComponent)")
                }
            }
            // The database, its log and the key, at least, on both sides; the log is there after a kill.
            #expect(files >= 5)
        }
    }
}
