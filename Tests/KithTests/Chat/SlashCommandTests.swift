import Testing

@testable import kith

@Suite struct SlashCommandTests {
    @Test(
        "a line is a text or a command",
        arguments: [
            ("hello", .text("hello")), ("  indented", .text("  indented")), ("", .nothing), (" \t ", .nothing),
            ("//etc/hosts", .text("/etc/hosts")), ("/help", .command(.help)), ("/verify", .command(.verify(name: nil))),
            ("/verify bob smith ", .command(.verify(name: "bob smith"))),
            ("/add carol", .command(.add(names: "carol"))),
            ("/remove  carol", .command(.remove(name: "carol"))),
            ("/rename the team", .command(.rename(title: "the team"))),
            ("/history", .command(.history(count: nil))), ("/history 200", .command(.history(count: 200))),
            ("/search two words", .command(.search(words: "two words"))),
            ("/reply yes", .command(.reply(number: nil, text: "yes"))),
            ("/reply 12 yes", .command(.reply(number: .seq(12), text: "yes"))),
            ("/reply 12", .command(.reply(number: nil, text: "12"))), ("/expire 10m", .command(.expire(seconds: 600))),
            ("/expire 7d", .command(.expire(seconds: 604_800))), ("/expire off", .command(.expire(seconds: nil))),
            ("/explain", .command(.explain(number: nil))), ("/explain 7", .command(.explain(number: .seq(7)))),
            ("/block", .command(.block(name: nil))), ("/unblock bob", .command(.unblock(name: "bob"))),
            ("/continue", .command(.continueDespiteWarning)), ("/quit", .command(.quit)),
        ] as [(String, SlashCommand.ParsedLine)])
    func lines(line: String, expected: SlashCommand.ParsedLine) {
        #expect(SlashCommand.parse(line) == expected)
    }

    @Test(
        "an invalid command is explained and never sent",
        arguments: [
            "/", "/ hello", "/nonsense", "/Help", "/add", "/history 0", "/history 9999999", "/history x", "/expire",
            "/expire 10",
            "/expire 0s", "/expire 400d", "/expire 99999999999999999999d", "/expire 9999999999999999d", "/explain 0",
            "/explain -0", "/search", "/reply",
        ])
    func mistakes(line: String) {
        guard case .mistake(let text) = SlashCommand.parse(line) else {
            Issue.record("\(line) was taken for something")
            return
        }
        #expect(!text.description.isEmpty)
    }
}
