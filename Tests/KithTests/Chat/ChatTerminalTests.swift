import Foundation
import KithRelay
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

/// `kith chat` in a real terminal, with another person in the conversation.
@Suite(.serialized, .timeLimit(.minutes(10)), .enabled(if: Tmux.isThere)) struct ChatTerminalTests {
    @Test("arriving messages leave the typed line intact, and sent ones show delivery and reading")
    func arrivingMessages() async throws {
        try await ChatFixture.talking { terminal, fixture in
            try await terminal.type("half a sen")
            try await terminal.wait(lastLine: "alice : half a sen")
            for number in 1...5 { try await fixture.say("line \(number)") }
            let screen = try await terminal.wait {
                $0.contains("bob (verified) : line 5") && $0.last == "alice : half a sen"
            }
            #expect(screen.suffix(6) == (1...5).map { "bob (verified) : line \($0)" } + ["alice : half a sen"])
            try await terminal.type("tence")
            try await terminal.press("Enter")
            try await fixture.bobGets("half a sentence")
            try await terminal.wait { $0.suffix(2) == ["alice : half a sentence ✓", "alice :"] }
            let last = try #require(try await fixture.bob.history(of: fixture.conversation).last?.seq)
            try await fixture.bob.markRead(fixture.conversation, through: last)
            try await terminal.wait { $0.suffix(2) == ["alice : half a sentence ✓✓", "alice :"] }
            #expect(try await !terminal.screen().joined().contains("has read"))
        }
    }

    @Test("a member who opens the conversation later is announced")
    func presence() async throws {
        try await ChatFixture.talking { terminal, fixture in
            try await fixture.bob.checkPresence(in: fixture.conversation)
            try await terminal.wait(for: "[bob is online, proved by a signature")
        }
    }

    @Test("the cursor is right behind wide characters, emoji and accents")
    func wideCharacters() async throws {
        try await ChatFixture.talking { terminal, fixture in
            try await terminal.type("世界 e\u{301} 🙂 end")
            try await terminal.wait(lastLine: "alice : 世界 e\u{301} 🙂 end")
            #expect(try await terminal.cursorColumn() == 8 + 4 + 3 + 3 + 3)
            try await terminal.press("Left", "Left", "Left", "Left", "BSpace")
            try await terminal.wait(lastLine: "alice : 世界 e\u{301}  end")
            try await fixture.say("宽 🙂 too")
            try await terminal.wait { $0.suffix(2) == ["bob (verified) : 宽 🙂 too", "alice : 世界 e\u{301}  end"] }
            #expect(try await terminal.cursorColumn() == 8 + 4 + 3)
            try await terminal.press("Home", "DC", "Enter")
            try await fixture.bobGets("界 e\u{301}  end")
        }
    }

    @Test("a resize during arriving messages loses neither messages nor typed text")
    func resizing() async throws {
        try await ChatFixture.talking { terminal, fixture in
            let text = "a line that is longer than thirty columns"
            try await terminal.type(text)
            try await terminal.wait(lastLine: "alice : \(text)")
            for (number, columns) in [30, 100, 23, 61, 80].enumerated() {
                try await fixture.say("number \(number)")
                try await terminal.resize(columns: columns)
                try await terminal.wait { screen in
                    screen.joined().contains("number \(number)")
                        && screen.last?.hasPrefix(columns > 60 ? "alice : a line" : "alice : <") == true
                }
            }
            let all = try await terminal.screen().joined()
            for number in 0..<5 { #expect(all.contains("number \(number)")) }
            try await terminal.press("Enter")
            try await fixture.bobGets(text)
        }
    }

    @Test("a paste of many lines is one message, and Enter sends it")
    func paste() async throws {
        try await ChatFixture.talking { terminal, fixture in
            let lines = (1...50).map { "line \($0) of 50" }
            try await terminal.paste(lines.joined(separator: "\n") + "\n")
            try await terminal.wait { $0.last?.hasSuffix("line 50 of 50") == true }
            #expect(try await terminal.screen().joined().contains("⏎line 50 of 50"))
            #expect(try await fixture.bob.history(of: fixture.conversation).allSatisfy { $0.body != .text(lines[0]) })
            try await terminal.press("Enter")
            try await fixture.bobGets(lines.joined(separator: "\n"))
            let screen = try await terminal.wait { $0.contains("  │ line 50 of 50 ✓") && $0.last == "alice :" }
            #expect(screen.contains("  │ line 49 of 50"))
        }
    }

    @Test("pasted text is sent unchanged, and only its display is safe")
    func pastedInvisible() async throws {
        try await ChatFixture.talking { terminal, fixture in
            let text = "if x:\n\treturn \u{645}\u{200F}\u{200B}!"
            try await terminal.paste(text)
            try await terminal.wait { $0.last?.hasSuffix("<U+200F><U+200B>!") == true }
            try await terminal.press("Enter")
            try await fixture.bobGets(text)
        }
    }

    @Test("with piped output, keyboard lines are still commands")
    func pipedOutput() async throws {
        try await ChatFixture.run { fixture in
            let command = ["sh", "-c", "\(BuiltProgram.kith.path) chat bob | cat"]
            try await Tmux.run(command, environment: ["KITH_HOME": fixture.home.path]) { terminal in
                try await terminal.wait { $0.joined().contains("[connected to the relay") }
                try await terminal.type("/help")
                try await terminal.press("Enter")
                try await terminal.wait { $0.joined().contains("/quit") }
                try await terminal.type("hello")
                try await terminal.press("Enter")
                try await fixture.bobGets("hello")
                try await terminal.type("/quit")
                try await terminal.press("Enter")
                try await terminal.wait(lastLine: "ended 0")
            }
            let texts = try await fixture.bob.history(of: fixture.conversation).map(\.body)
            #expect(!texts.contains(.text("/help")) && !texts.contains(.text("/quit")))
        }
    }

    @Test(
        "ctrl-C clears the line, then leaves; ctrl-D leaves; both restore the terminal",
        arguments: ["C-c", "C-d"])
    func leaving(key: String) async throws {
        try await ChatFixture.talking { terminal, fixture in
            try await terminal.type("never mind")
            try await terminal.wait(lastLine: "alice : never mind")
            try await terminal.press("C-c")
            try await terminal.wait(lastLine: "alice :")
            try await terminal.press(key)
            try await terminal.wait(lastLine: "ended 0")
            try await terminal.type("after")
            try await terminal.press("Enter")
            try await terminal.wait { $0.suffix(2) == ["after", "after"] }
            #expect(
                try await fixture.bob.history(of: fixture.conversation).allSatisfy { $0.body != .text("never mind") })
        }
    }

    @Test(
        "ctrl-Z stops the process group, and fg shows messages that arrived meanwhile",
        arguments: ["", "sh -c '\"$@\"; true' sh"])
    func suspended(starter: String) async throws {
        try await ChatFixture.run { fixture in
            let environment = ["KITH_HOME": fixture.home.path, "PS1": "shell> "]
            try await Tmux.run(["bash", "--norc", "-i"], environment: environment, hidesNumbers: true) { terminal in
                try await terminal.wait(lastLine: "shell>")
                try await terminal.type("\(starter) \(BuiltProgram.kith.path) chat bob")
                try await terminal.press("Enter")
                try await terminal.wait { $0.joined().contains("[bob is online") && $0.last == "alice :" }
                try await terminal.type("half")
                try await terminal.wait(lastLine: "alice : half")
                try await terminal.press("C-z")
                try await terminal.wait { $0.joined().contains("Stopped") && $0.last == "shell>" }
                try await fixture.say("meanwhile")
                try await terminal.type("fg")
                try await terminal.press("Enter")
                try await terminal.wait { $0.contains("bob (verified) : meanwhile") && $0.last == "alice : half" }
                try await terminal.type(" a line")
                try await terminal.press("Enter")
                try await fixture.bobGets("half a line")
            }
        }
    }

    @Test("a paste longer than a message is sent as a file")
    func hugePaste() async throws {
        try await ChatFixture.talking { terminal, fixture in
            for _ in 0..<7 { try await terminal.paste(String(repeating: "x", count: 10_000)) }
            try await terminal.press("Enter")
            try await fixture.bobGetsFile(ofBytes: 70_000)
            try await terminal.wait(lastLine: "alice :")
        }
    }

    @Test("control characters are shown as codes, and a message can't pass for several people's")
    func escapes() async throws {
        try await ChatFixture.talking { terminal, fixture in
            try await fixture.say("\u{1B}[2J\u{1B}]0;gone\u{7}\u{202E}evil\nalice : I agree ✓")
            try await terminal.wait { $0.contains("  │ alice : I agree ✓") }
            let screen = try await terminal.screen()
            #expect(screen.contains("bob (verified) : ␛[2J␛]0;gone␇<U+202E>evil"))
            #expect(screen.joined().contains("[connected to the relay"))
        }
    }

    @Test("invalid commands are explained and not sent; /verify and /members work")
    func commands() async throws {
        try await ChatFixture.talking { terminal, fixture in
            try await terminal.type("/nonsense")
            try await terminal.press("Enter")
            try await terminal.wait(for: "[there is no command /nonsense; /help lists the commands")
            try await terminal.type("/members")
            try await terminal.press("Enter")
            try await terminal.wait(for: "alice on “laptop” is you")
            try await terminal.type("/verify")
            try await terminal.press("Enter")
            try await terminal.wait(for: "[are they the same? yes or no]")
            try await terminal.type("yes")
            try await terminal.press("Enter")
            try await terminal.wait(for: "[bob is verified]")
            try await terminal.type("//slash")
            try await terminal.press("Enter")
            try await fixture.bobGets("/slash")
            #expect(
                try await fixture.bob.history(of: fixture.conversation).filter { $0.author != .me && $0.isText }.count
                    == 1)
        }
    }

    @Test("with 10,000 messages, the last page is shown and /history shows earlier ones")
    func longHistory() async throws {
        let limits = { (limits: inout RelayLimits) in
            limits.requestsPerSecond = 100_000
            limits.requestBurst = 100_000
            limits.addressRequestsPerSecond = 10_000_000
            limits.addressRequestBurst = 10_000_000
        }
        try await ChatFixture.run(limits: limits) { fixture in
            let count = 10_000
            for number in 1...count { try await fixture.say("message \(number)") }
            try await eventually({ await fixture.bob.queuedMessages() }, within: .seconds(600)) { $0 == 0 }
            try await fixture.atTerminal(size: Tmux.Size(rows: 200)) { terminal in
                // All messages arrive while the screen is open, and the line stays editable.
                try await terminal.type("typed meanwhile")
                try await terminal.wait { $0.joined().contains("connected to the relay") }
                try await terminal.wait {
                    $0.contains("bob (verified) : message \(count)") && $0.last == "alice : typed meanwhile"
                }
                try await terminal.press("Enter")
                try await fixture.bobGets("typed meanwhile")
                try await terminal.press("C-d")
                try await terminal.wait(lastLine: "ended 0")
            }
            try await fixture.atTerminal(["bob", "--history", "100"], size: Tmux.Size(rows: 400)) { terminal in
                let screen = try await terminal.wait {
                    $0.contains("bob (verified) : message \(count)") && $0.last == "alice :"
                }
                #expect(screen.count { $0.hasPrefix("bob (verified) : ") } < 101)
                try await terminal.press("PPage")
                let page = try await terminal.wait { $0.contains("── /history: more ──") && $0.last == "alice :" }
                #expect(page.count { $0.hasPrefix("bob (verified) : ") } > 140)
                try await terminal.type("/search message 17")
                try await terminal.press("Enter")
                try await terminal.wait {
                    $0.contains { $0.hasSuffix("bob (verified) : message 17") || $0.contains(" found ──") }
                }
            }
        }
    }

    @Test("while the relay is away, a text stands above the input line, and is sent later")
    func relayAway() async throws {
        try await withTemporaryFolder { folder in
            let arguments = ["relay", "--data", folder.appendingPathComponent("relay").path, "--json", "--listen"]
            var relay = try KithProcess(arguments + ["127.0.0.1:0"], folder: folder)
            let listening = try JSONDecoder().decode(Listening.self, from: Data(try #require(await relay.line()).utf8))
            let point = RelayPoint(
                address: try #require(RelayAddress(listening.address)), pin: try #require(RelayPin(listening.pin)))
            let place = ForeignRelay(address: point.address, pin: point.pin, folder: folder)
            let alice = try await ChatFixture.profile("alice", in: place)
            let bob = try await ChatFixture.profile("bob", in: place)
            let events = await alice.events()
            let conversation = try await bob.join(try await alice.createInvite(at: point).invite)
            for await event in events { if case .inviteUsed = event { break } }
            await alice.close()
            let fixture = ChatFixture(relay: place, bob: bob, conversation: conversation)
            try await fixture.atTerminal { terminal in
                try await terminal.wait { $0.joined().contains("[bob is online") && $0.last == "alice :" }
                relay.signal(SIGKILL)
                _ = await relay.exitCode()
                try await terminal.wait { $0.dropLast().last?.hasPrefix("[the relay can't be reached: ") == true }
                try await terminal.type("are you there?")
                try await terminal.press("Enter")
                try await terminal.wait {
                    $0.dropLast().last?.hasPrefix("[waiting: “are you there?” · the relay") == true
                }
                try await terminal.type("typing on")
                try await terminal.resize(columns: 40)
                try await terminal.wait {
                    $0.last == "alice : typing on"
                        && $0.dropLast().last?.hasPrefix("[waiting: “are you there?”") == true
                }
                relay = try KithProcess(arguments + [listening.address], folder: folder)
                // A presence check may finish below the text.
                try await terminal.wait {
                    $0.contains("alice : are you there? ✓") && $0.last == "alice : typing on"
                }
                try await fixture.bobGets("are you there?")
                try await terminal.wait { $0.allSatisfy { !$0.contains("waiting:") } }
            }
            await bob.close()
            relay.signal(SIGTERM)
            _ = await relay.exitCode()
        }
    }

    private struct Listening: Decodable {
        let address: String
        let pin: String
    }

    @Test("an unknown name is looked up after a yes, and needs another for its unverified key")
    func lookedUp() async throws {
        try await ChatFixture.run { fixture in
            let carol = try await ChatFixture.profile("carol", in: fixture.relay)
            try await carol.register(try #require(Name("carol")), at: fixture.relay.point)
            try await fixture.atTerminal(["carol"]) { terminal in
                try await terminal.wait { $0.last?.hasPrefix("Ask the relay at ") == true }
                try await terminal.type("yes")
                try await terminal.press("Enter")
                try await terminal.wait { $0.last == "Start a conversation? yes or no:" }
                #expect(try await terminal.screen().joined().contains("is unverified until you compare"))
                try await terminal.type("y")
                try await terminal.press("Enter")
                try await terminal.wait { $0.joined().contains("[carol is unverified") && $0.last == "alice :" }
            }
            await carol.close()
        }
    }
}

extension Message {
    fileprivate var isText: Bool { if case .text = body { true } else { false } }
}
