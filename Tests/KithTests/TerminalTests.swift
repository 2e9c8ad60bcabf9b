import Foundation
import RelayTestSupport
import TestSupport
import Testing

@testable import kith

/// `kith classic` in a real terminal, with another person in the session.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Tmux.isThere)) struct TerminalTests {
    /// Runs `body` with Alice at a terminal, after Bob has joined.
    private func atTerminal(
        columns: Int = 80, environment: [String: String] = [:], _ body: (Tmux, KithProcess) async throws -> Void
    ) async throws {
        try await withRelay { relay in
            let command = [
                BuiltProgram.kith.path, "classic", "--relay", relay.address.description, "--pin",
                relay.pin.description, "--id", "alice", "--peer", "bob",
            ]
            try await Tmux.run(
                command, environment: environment.merging(["KITH_HOME": relay.folder.path]) { $1 },
                size: Tmux.Size(columns: columns)
            ) { terminal in
                try await terminal.wait(for: "[waiting for bob]")
                let bob = try relay.classic("bob", "alice")
                try await bob.complaint(with: "[alice is here")
                // The key is on the screen, then the input line.
                try await terminal.wait { $0.contains { $0.contains("[bob is here") } && $0.last == "alice :" }
                try await body(terminal, bob)
            }
        }
    }

    @Test("arriving lines leave the typed line intact")
    func arrivingLines() async throws {
        try await atTerminal { terminal, bob in
            try await terminal.type("half a sen")
            try await terminal.wait(lastLine: "alice : half a sen")
            for number in 1...5 { try bob.write("line \(number)") }
            let screen = try await terminal.wait {
                $0.contains("bob (verified) : line 5") && $0.last == "alice : half a sen"
            }
            #expect(screen.suffix(6) == (1...5).map { "bob (verified) : line \($0)" } + ["alice : half a sen"])
            try await terminal.type("tence")
            try await terminal.press("Enter")
            #expect(await bob.line() == "alice (verified) : half a sentence")
            try await terminal.wait { $0.suffix(2) == ["alice : half a sentence", "alice :"] }
        }
    }

    @Test("the cursor is right behind wide characters, emoji and accents")
    func wideCharacters() async throws {
        try await atTerminal { terminal, bob in
            try await terminal.type("世界 e\u{301} 🙂 end")
            try await terminal.wait(lastLine: "alice : 世界 e\u{301} 🙂 end")
            #expect(try await terminal.cursorColumn() == 8 + 4 + 3 + 3 + 3)
            try await terminal.press("Left", "Left", "Left", "Left", "BSpace")
            try await terminal.wait(lastLine: "alice : 世界 e\u{301}  end")
            #expect(try await terminal.cursorColumn() == 8 + 4 + 3)
            try bob.write("宽 🙂 too")
            try await terminal.wait { $0.suffix(2) == ["bob (verified) : 宽 🙂 too", "alice : 世界 e\u{301}  end"] }
            #expect(try await terminal.cursorColumn() == 8 + 4 + 3)
            try await terminal.press("Home", "DC", "Enter")
            #expect(await bob.line() == "alice (verified) : 界 e\u{301}  end")
        }
    }

    @Test("a resize fits the input line and keeps the lines above")
    func resize() async throws {
        try await atTerminal { terminal, bob in
            try bob.write("stay where you are")
            try await terminal.wait(for: "stay where you are")
            let text = "a line that is longer than thirty columns"
            try await terminal.type(text)
            try await terminal.wait(lastLine: "alice : \(text)")
            try await terminal.resize(columns: 30)
            let narrow = try await terminal.wait { $0.last?.hasPrefix("alice : <") == true }
            #expect(narrow.last?.hasSuffix("columns") == true)
            #expect(narrow.joined().contains("bob (verified) : stay where you are"))
            try await terminal.resize(columns: 100)
            try await terminal.wait(lastLine: "alice : \(text)")
            try await terminal.press("Enter")
            #expect(await bob.line() == "alice (verified) : \(text)")
            #expect(try await terminal.screen().joined().contains("bob (verified) : stay where you are"))
        }
    }

    @Test("a paste sends each whole line and leaves the rest in the editor")
    func paste() async throws {
        try await atTerminal { terminal, bob in
            try await terminal.paste("one\ntwo\nthr")
            #expect(await bob.line() == "alice (verified) : one")
            #expect(await bob.line() == "alice (verified) : two")
            try await terminal.wait(lastLine: "alice : thr")
            try await terminal.type("ee")
            try await terminal.press("Enter")
            #expect(await bob.line() == "alice (verified) : three")
        }
    }

    @Test("history, word and line keys edit the line")
    func editing() async throws {
        try await atTerminal { terminal, bob in
            try await terminal.type("hello world")
            try await terminal.press("C-w")
            try await terminal.type("bob")
            try await terminal.press("C-a")
            try await terminal.type("oh ")
            try await terminal.press("C-e", "!", "Enter")
            #expect(await bob.line() == "alice (verified) : oh hello bob!")
            try await terminal.type("draft")
            try await terminal.press("Up")
            try await terminal.wait(lastLine: "alice : oh hello bob!")
            try await terminal.press("Down")
            try await terminal.wait(lastLine: "alice : draft")
            try await terminal.press("C-u")
            try await terminal.wait(lastLine: "alice :")
        }
    }

    @Test("ctrl-C and ctrl-D say goodbye and restore the terminal", arguments: ["C-c", "C-d"])
    func leave(key: String) async throws {
        try await atTerminal { terminal, bob in
            try await terminal.press(key)
            try await bob.complaint(with: "[alice said goodbye]")
            #expect(await bob.exitCode() == 0)
            try await terminal.wait(lastLine: "ended 0")
            // Echo and line mode are back: typed text shows, and Enter gives it to the next program.
            try await terminal.type("after")
            try await terminal.press("Enter")
            try await terminal.wait { $0.suffix(2) == ["after", "after"] }
        }
    }

    @Test("ctrl-Z without job control changes nothing")
    func suspendedByNobody() async throws {
        try await atTerminal { terminal, bob in
            try await terminal.type("half")
            try await terminal.wait(lastLine: "alice : half")
            try await terminal.press("C-z")
            try await terminal.type(" a line")
            try await terminal.wait(lastLine: "alice : half a line")
            try await terminal.press("Enter")
            #expect(await bob.line() == "alice (verified) : half a line")
        }
    }

    @Test("keycaps and other sequences leave the typed line intact")
    func sequences() async throws {
        try await atTerminal(columns: 30) { terminal, bob in
            let keycaps = String(repeating: "1\u{FE0F}\u{20E3}", count: 30)
            try await terminal.type(keycaps)
            try await terminal.wait { $0.last?.hasPrefix("alice : <") == true }
            try bob.write("one line")
            let screen = try await terminal.wait { $0.contains("bob (verified) : one line") }
            #expect(screen.count { $0.hasPrefix("alice : ") } == 1)
            try await terminal.press("Enter")
            #expect(await bob.line() == "alice (verified) : \(keycaps)")
        }
    }

    @Test("the peer's goodbye ends the program")
    func goodbye() async throws {
        try await atTerminal { terminal, bob in
            try bob.endInput()
            let screen = try await terminal.wait(lastLine: "ended 0")
            #expect(screen.contains("[bob said goodbye]"))
        }
    }

    @Test("a line being typed at the peer's goodbye is dropped, and Enter ends the program")
    func unfinishedLine() async throws {
        try await atTerminal { terminal, bob in
            try await terminal.type("echo from the ")
            try await terminal.wait(lastLine: "alice : echo from the")
            try bob.endInput()
            try await terminal.wait(for: "Enter ends the program]")
            // The rest of the line can be typed as before.
            try await terminal.type("shell")
            try await terminal.press("Enter")
            try await terminal.wait(lastLine: "ended 0")
            try await terminal.type("after")
            try await terminal.press("Enter")
            let screen = try await terminal.wait { $0.suffix(2) == ["after", "after"] }
            #expect(!screen.contains("shell"))
        }
    }

    @Test(
        "text typed before the peer is there stays visible, and is sent after the key and Enter")
    func earlyLines() async throws {
        try await withRelay { relay in
            let command = [
                BuiltProgram.kith.path, "classic", "--relay", relay.address.description, "--pin",
                relay.pin.description, "--id", "alice", "--peer", "bob",
            ]
            try await Tmux.run(command, environment: ["KITH_HOME": relay.folder.path]) { terminal in
                try await terminal.wait(for: "[waiting for bob]")
                try await terminal.type("too early?")
                try await terminal.press("Enter")
                try await terminal.wait { $0.suffix(2) == ["[waiting: “too early?”]", "alice :"] }
                try await terminal.press("C-d")
                try await terminal.wait { $0.joined().contains("ctrl-C, or ctrl-D") && $0.last == "alice :" }
                let bob = try relay.classic("bob", "alice")
                try await terminal.wait { $0.suffix(2) == ["[Enter sends “too early?”]", "alice :"] }
                #expect(try await terminal.screen().joined().contains("[bob has the key"))
                #expect(bob.unreadOutput == 0)
                try await terminal.press("Enter")
                #expect(await bob.line() == "alice (verified) : too early?")
                try await terminal.wait { $0.suffix(2) == ["alice : too early?", "alice :"] }
                try await terminal.press("C-d")
                try await terminal.wait(lastLine: "ended 0")
            }
        }
    }

    @Test("control characters are shown as codes")
    func escapes() async throws {
        try await atTerminal { terminal, bob in
            try bob.write("\u{1B}[2J\u{1B}]0;gone\u{7}\u{202E}evil")
            try await terminal.wait(for: "bob (verified) : ␛[2J␛]0;gone␇<U+202E>evil")
            #expect(try await terminal.screen().contains { $0.contains("[bob is here") })
        }
    }

    @Test("prompts ask for the ids, then the session begins")
    func prompts() async throws {
        try await withRelay { relay in
            let command = [
                BuiltProgram.kith.path, "classic", "--relay", relay.address.description, "--pin",
                relay.pin.description,
            ]
            try await Tmux.run(command, environment: ["KITH_HOME": relay.folder.path]) { terminal in
                try await terminal.wait(lastLine: "Enter your id:")
                try await terminal.type("alice")
                try await terminal.press("Enter")
                try await terminal.wait(lastLine: "Enter the id of the person you want to talk to:")
                try await terminal.type("alice")
                try await terminal.press("Enter")
                try await terminal.wait(for: "must differ")
                try await terminal.type("bob")
                try await terminal.press("Enter")
                try await terminal.wait(for: "[waiting for bob]")
                try await terminal.press("C-c")
                try await terminal.wait(lastLine: "ended 130")
            }
        }
    }

    @Test("the interactive demo answers the user, and cleans up")
    func interactiveDemo() async throws {
        try await withTemporaryFolder { folder in
            try await Tmux.run(
                [BuiltProgram.kith.path, "demo", "--classic", "--interactive"], environment: ["TMPDIR": folder.path],
                size: Tmux.Size(columns: 100, rows: 100)
            ) { terminal in
                try await terminal.wait(for: "bob (verified) : Hi! I am a program.")
                try await terminal.type("hello")
                try await terminal.press("Enter")
                try await terminal.wait(for: "“hello”, 5 characters")
                try await terminal.press("C-d")
                let screen = try await terminal.wait { $0.last?.hasPrefix("ended") == true }
                #expect(screen.last == "ended 0")
                #expect(screen.contains { $0.contains("ciphertext") })
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
            }
        }
    }

    @Test("the classic demo fits the terminal")
    func demo() async throws {
        try await withTemporaryFolder { folder in
            try await Tmux.run(
                [BuiltProgram.kith.path, "demo", "--classic"], environment: ["TMPDIR": folder.path],
                size: Tmux.Size(columns: 70, rows: 400)
            ) { terminal in
                let screen = try await terminal.wait { $0.last?.hasPrefix("ended") == true }
                #expect(screen.last == "ended 0")
                #expect(screen.contains { $0.contains("altered on the way; dropped") })
                // The two columns stay aligned.
                let columns = screen.filter { $0.contains(" │ ") && !$0.contains("screen │") }.map { line in
                    DisplayWidth.of(line.prefix { $0 != "│" })
                }
                #expect(columns.count > 20 && Set(columns).count == 1)
            }
        }
    }
}
