import Foundation
import TestSupport
import Testing

@testable import kith

/// Prompts for passphrases in a real terminal.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Tmux.isThere)) struct PromptTests {
    private let program = BuiltProgram.kith.path
    private let passphrase = "correct horse battery"

    private func type(_ text: String, into terminal: Tmux) async throws {
        try await terminal.type(text)
        try await terminal.press("Enter")
    }

    /// A profile with a passphrase.
    private func withProfile(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("passphrase")
            try Data(passphrase.utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            let made = try KithProcess(
                ["init", "--yes", "--name", "Ann"], folder: folder.appendingPathComponent("home"),
                environment: ["KITH_PASSPHRASE_FILE": file.path])
            try #require(await made.exitCode() == 0)
            try await body(folder)
        }
    }

    private func home(_ folder: URL) -> [String: String] {
        ["KITH_HOME": folder.appendingPathComponent("home").path]
    }

    @Test(
        "typed text is hidden from the first passphrase on, and none of it reaches the shell")
    func silence() async throws {
        try await withProfile { folder in
            try await Tmux.run([program, "passphrase"], environment: home(folder)) { terminal in
                try await terminal.wait(lastLine: "Passphrase of default:")
                try await terminal.type("wrong one")
                try await terminal.press("Enter")
                try await terminal.type("TYPED AHEAD")
                try await terminal.wait { $0.suffix(2) == ["Wrong passphrase.", "Passphrase of default:"] }
                try await type(passphrase, into: terminal)
                try await terminal.type("TYPED AHEAD")
                try await terminal.wait(lastLine: "New passphrase:")
                try await type("short", into: terminal)
                try await terminal.wait { $0.last == "Again:" && $0.joined().contains("can be guessed") }
                try await type("", into: terminal)
                try await terminal.wait(lastLine: "New passphrase:")
                try await type("a longer passphrase", into: terminal)
                try await terminal.wait(lastLine: "Again:")
                try await type("a longer passphrase", into: terminal)
                try await terminal.type("TYPED AHEAD")
                try await terminal.press("Enter")
                try await terminal.wait(lastLine: "ended 0")
                try await type("after", into: terminal)
                let screen = try await terminal.wait { $0.suffix(2) == ["after", "after"] }
                #expect(screen.contains("One moment."))
                for secret in ["TYPED", "wrong one", "short", "longer passphrase", passphrase] {
                    #expect(!screen.contains { $0.contains(secret) && !$0.contains("can be guessed") })
                }
            }
        }
    }

    @Test("a signal that ends the program restores the terminal", arguments: [SIGTERM, SIGINT, SIGHUP])
    func signals(number: Int32) async throws {
        try await withProfile { folder in
            let command = ["sh", "-c", "echo process $$; exec \(program) list"]
            try await Tmux.run(command, environment: home(folder)) { terminal in
                let screen = try await terminal.wait(lastLine: "Passphrase of default:")
                let line = try #require(screen.first { $0.hasPrefix("process ") })
                kill(try #require(pid_t(line.dropFirst(8))), number)
                try await terminal.wait { $0.last?.contains("ended ") == true }
                try await type("after", into: terminal)
                try await terminal.wait { $0.suffix(2) == ["after", "after"] }
            }
        }
    }

    @Test("ctrl-C during a passphrase check ends the program and restores the terminal")
    func interrupted() async throws {
        try await withProfile { folder in
            try await Tmux.run([program, "list"], environment: home(folder)) { terminal in
                try await terminal.wait(lastLine: "Passphrase of default:")
                try await terminal.press("C-c")
                try await terminal.wait(lastLine: "ended 130")
                try await type("after", into: terminal)
                try await terminal.wait { $0.suffix(2) == ["after", "after"] }
            }
        }
    }

    @Test("import checks the backup's passphrase before it asks for the new one")
    func importing() async throws {
        try await withProfile { folder in
            let file = folder.appendingPathComponent("passphrase").path
            let backup = folder.appendingPathComponent("backup").path
            let export = try KithProcess(
                ["export", backup, "--passphrase-file", file], folder: folder.appendingPathComponent("home"),
                environment: ["KITH_PASSPHRASE_FILE": file])
            try #require(await export.exitCode() == 0)
            let command = [program, "import", backup, "--profile", "restored"]
            try await Tmux.run(command, environment: home(folder)) { terminal in
                try await terminal.wait(lastLine: "Passphrase of the backup:")
                try await type("not this", into: terminal)
                try await terminal.wait { $0.suffix(2) == ["Wrong passphrase.", "Passphrase of the backup:"] }
                try await type(passphrase, into: terminal)
                try await terminal.wait { $0.last?.hasPrefix("New passphrase for the profile") == true }
                try await type("", into: terminal)
                let screen = try await terminal.wait(lastLine: "ended 0")
                #expect(screen.contains { $0.hasPrefix("You are Ann again, on ") })
            }
        }
    }

    @Test("an answer that is not UTF-8 is asked for again, and does not count as an empty passphrase")
    func notText() async throws {
        try await withTemporaryFolder { folder in
            let typed = folder.appendingPathComponent("typed")
            try Data(Array("caf".utf8) + [0xE9] + Array(" long passphrase\r".utf8)).write(to: typed)
            try await Tmux.run([program, "init", "--name", "Ann"], environment: home(folder)) { terminal in
                try await terminal.wait { $0.joined(separator: " ").contains("empty for none):") }
                try await terminal.typeBytes(of: typed)
                try await terminal.wait(for: "That is not text: it is not UTF-8.")
                try await terminal.press("C-c")
                try await terminal.wait(lastLine: "ended 130")
            }
        }
    }

    @Test("a question is repeated until a yes or no, and an empty line skips it")
    func decision() async throws {
        try await withAnnAndBob { ann, bob, _ in
            // Bob's first message carries his inbox address.
            _ = try await bob.run("send", "Ann", "here I am")
            try await ann.hear("here I am")
            let made = try await ann.run("group", "create", "team", "Bob")
            try #require(made.code == 0, "\(made.complaints)")
            let command = [program, "group", "remove", "team", "Bob"]
            try await Tmux.run(command, environment: ["KITH_HOME": ann.folder.path]) { terminal in
                try await terminal.wait(lastLine: "Remove Bob from team? yes or no:")
                try await type("maybe", into: terminal)
                try await terminal.wait { $0.dropLast().last?.hasPrefix("Please answer yes or no") == true }
                try await type("", into: terminal)
                try await terminal.wait(lastLine: "ended 130")
            }
            #expect(try await ann.run("group", "members", "team").lines.count == 2)
            let direct = try await ann.run("group", "remove", "#1", "Bob", "--yes")
            #expect(direct.code == 1)
            #expect(direct.complaints.last?.contains("conversation of two") == true)
        }
    }
}
