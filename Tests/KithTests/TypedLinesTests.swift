import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

/// The fate of lines that a person types in a classic conversation.
@Suite struct TypedLinesTests {
    @Test("a line typed before the key was shown is visible and needs another Enter")
    func early() {
        var lines = TypedLines(peer: "bob")
        #expect(lines.handle(.line("hello bob?")) == [.status("[waiting: “hello bob?”]")])
        #expect(lines.handle(.line("")) == [])
        #expect(lines.handle(.line("are you there?")) == [.status("[waiting: “hello bob?” and 1 more]")])
        #expect(lines.heldCount == 2)
        #expect(
            lines.handle(.opened(hasExpectedKey: false)) == [
                .show("2 lines are not sent yet: compare the keys first; Enter sends, ctrl-C leaves without sending"),
                .status("[Enter sends “hello bob?” and 1 more]"),
            ])
        #expect(
            lines.handle(.line("")) == [.status(nil), .send("hello bob?"), .send("are you there?")])
        #expect(lines.heldCount == 0)
        #expect(lines.handle(.line("more")) == [.send("more")])
    }

    @Test("with the expected key, waiting lines are sent at once")
    func expected() {
        var lines = TypedLines(peer: "bob")
        _ = lines.handle(.line("hello"))
        #expect(lines.handle(.opened(hasExpectedKey: true)) == [.status(nil), .send("hello")])
    }

    @Test("a line entered after the key was shown is sent behind the waiting ones")
    func anotherLine() {
        var lines = TypedLines(peer: "bob")
        _ = lines.handle(.line("one"))
        _ = lines.handle(.opened(hasExpectedKey: false))
        #expect(lines.handle(.line("two")) == [.status(nil), .send("one"), .send("two")])
    }

    @Test("ctrl-D leaves; with waiting lines, the first one only warns")
    func endOfInput() {
        var nothing = TypedLines(peer: "bob")
        #expect(nothing.handle(.endOfInput) == [.leave])
        var lines = TypedLines(peer: "bob")
        _ = lines.handle(.line("one"))
        let told = lines.handle(.endOfInput)
        #expect(
            told == [
                .show(
                    "1 line is kept until bob is here and you have seen the key; ctrl-C, or ctrl-D again, leaves without sending"
                ), .takeMore,
            ])
        _ = lines.handle(.line("two"))
        #expect(lines.handle(.endOfInput).last == .takeMore)
        #expect(lines.handle(.endOfInput) == [.leave])
        #expect(lines.heldCount == 2)
    }
}
