import TestSupport
import Testing

@Suite("Read marks in a real terminal", .serialized, .timeLimit(.minutes(5)), .enabled(if: Tmux.isThere))
struct ReadMarkTerminalTests {
    @Test("a read mark changes in its place while the user types, and is a line of its own after a resize")
    func readMarks() async throws {
        try await ChatFixture.talking(columns: 40) { terminal, fixture in
            try await terminal.type("A text of several rows, with 🙂 and 👩‍👩‍👧 in it, whose mark is at its end.")
            try await terminal.press("Enter")
            try await terminal.wait { $0.contains { $0.hasSuffix(" ✓") } && $0.last == "alice :" }
            try await fixture.say("something below\nin two lines")
            try await terminal.type("half")
            let before = try await terminal.wait {
                $0.suffix(3) == ["  │ below", "  │ in two lines", "alice : half"]
            }
            try await fixture.bobReadsAll()
            let after = try await terminal.wait { $0.contains { $0.hasSuffix(" ✓✓") } }
            #expect(after == before.map { $0.hasSuffix(" ✓") ? $0 + "✓" : $0 })
            try await terminal.press("C-u")
            try await terminal.type("next")
            try await terminal.press("Enter")
            try await terminal.wait { $0.contains("alice : next ✓") }
            try await terminal.resize(columns: 70)
            try await terminal.type("x")
            try await terminal.wait(lastLine: "alice : x")
            try await fixture.bobReadsAll()
            try await terminal.wait { $0.suffix(2) == ["[bob has read up to here]", "alice : x"] }
        }
    }
}
