import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

/// Typing in `kith chat` in a real terminal, with another person in the conversation.
@Suite(.serialized, .timeLimit(.minutes(10)), .enabled(if: Tmux.isThere)) struct TypingTerminalTests {
    @Test("typing is shown on both sides without moving a line, and a message ends it")
    func typing() async throws {
        try await ChatFixture.run { fixture in
            try await fixture.atTerminal(size: Tmux.Size(columns: 80)) { terminal in
                try await terminal.wait { $0.joined().contains("[bob is online") && $0.last == "alice :" }
                var events = await fixture.bob.events().makeAsyncIterator()
                try await terminal.type("/verif")
                try await terminal.wait(lastLine: "alice : /verif")
                try await fixture.bob.tellTyping(in: fixture.conversation)
                let words = "[bob is typing]"
                let line = "alice : /verif"
                let typed = line + String(repeating: " ", count: 79 - line.count - words.count) + words
                let screen = try await terminal.wait(lastLine: typed)
                try await fixture.say("here it is")
                let after = try await terminal.wait {
                    $0.last == line && $0.dropLast().last == "bob (verified) : here it is"
                }
                #expect(screen.dropLast() == after.dropLast(2))
                for _ in 0..<6 { try await terminal.press("BSpace") }
                try await terminal.type("hello")
                var typing: [TypingMember] = []
                while typing.isEmpty, let event = await events.next() {
                    if case .typing(_, let members) = event { typing = members }
                }
                #expect(typing.map(\.name) == ["alice"])
            }
        }
    }
}
