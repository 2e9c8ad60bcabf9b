import Foundation
import Testing

@testable import kith

@Suite("Code and links in texts") struct TextMarkupTests {
    /// Writes code as «code», backticks as ‹`› and links as [link]. A line of a block of code begins with `=`.
    private func described(_ text: String) -> [String] {
        TextMarkup.lines(of: text).map { line in
            (line.isCode ? "=" : "")
                + line.pieces.map { piece in
                    switch piece.style {
                    case .plain: return piece.text
                    case .code: return "«\(piece.text)»"
                    case .fence: return "‹\(piece.text)›"
                    case .link(let target):
                        #expect(target == piece.text)
                        return "[\(piece.text)]"
                    }
                }.joined()
        }
    }

    @Test(
        "code in a line stands between equally long runs of backticks; others mean nothing",
        arguments: [
            ("run `make` now", ["run ‹`›«make»‹`› now"]), ("`a` and `b`", ["‹`›«a»‹`› and ‹`›«b»‹`›"]),
            ("``a ` b``", ["‹``›«a ` b»‹``›"]), ("an `open one", ["an `open one"]), ("``", ["``"]),
            ("`a`` b`", ["‹`›«a`` b»‹`›"]), ("``a` b", ["``a` b"]), ("`one\ntwo`", ["`one", "two`"]),
            ("```a```", ["‹```›«a»‹```›"]), ("` `", ["‹`›« »‹`›"]), ("", [""]),
            ("`\u{301}not code`", ["`\u{301}not code`"]),
            ("`\u{1B}[2J`", ["‹`›«␛[2J»‹`›"]), ("`a\u{202E}b`", ["‹`›«a<U+202E>b»‹`›"]),
        ])
    func inline(text: String, expected: [String]) {
        #expect(described(text) == expected)
    }

    @Test(
        "a block of code has a first and a last line of equally many backticks; without an end, there is no block",
        arguments: [
            ("```\nlet a = 1\n\n  b\n```\nend", ["=‹```›", "=«let a = 1»", "=«»", "=«  b»", "=‹```›", "end"]),
            ("```swift\r\na\r\n``` ", ["=‹```swift›", "=«a»", "=‹``` ›"]),
            ("````\n```\n`x`\n````", ["=‹````›", "=«```»", "=«`x`»", "=‹````›"]),
            ("```\na `b`", ["```", "a ‹`›«b»‹`›"]), ("```\na\n```b", ["```", "a", "```b"]),
            ("```\na\n````", ["```", "a", "````"]), ("```a`b\n```", ["```a`b", "```"]),
            ("  ```\n https://a.example `x`\n  ```", ["=‹  ```›", "=« https://a.example `x`»", "=‹  ```›"]),
            ("```\na\n```\n```\nb\n```", ["=‹```›", "=«a»", "=‹```›", "=‹```›", "=«b»", "=‹```›"]),
        ])
    func blocks(text: String, expected: [String]) {
        #expect(described(text) == expected)
    }

    @Test(
        "an address becomes a link without the sentence around it",
        arguments: [
            ("see https://a.example/x.", "see [https://a.example/x]."), ("(http://a.example)", "([http://a.example])"),
            ("https://a.example/b_(c)", "[https://a.example/b_(c)]"),
            ("(see https://a.example/b_(c)).", "(see [https://a.example/b_(c)])."),
            ("HTTPS://A.example?!", "[HTTPS://A.example]?!"),
            ("https://a.example, http://b.example", "[https://a.example], [http://b.example]"),
            ("http://127.0.0.1:8080/a?b=c&d=%20#e", "[http://127.0.0.1:8080/a?b=c&d=%20#e]"),
            ("http://[::1]:80/", "[http://[::1]:80/]"), ("[a](https://a.example/)", "[a]([https://a.example/])"),
            ("<https://a.example/>", "<[https://a.example/]>"), ("\"https://a.example/\"", "\"[https://a.example/]\""),
            ("看https://a.example。", "看[https://a.example]。"), ("https://a.example/ 🙂", "[https://a.example/] 🙂"),
            ("https://xn--e1awd7f.example", "[https://xn--e1awd7f.example]"),
            ("https://a.example/`b`", "[https://a.example/]‹`›«b»‹`›"),
        ])
    func links(text: String, expected: String) {
        #expect(described(text) == [expected])
    }

    @Test(
        "text that is no plain address of ASCII characters is no link",
        arguments: [
            "https://", "https:// a", "https://-", "https://.", "http:/a.example", "xhttp://a.example",
            "ftp://a.example",
            "javascript:alert(1)", "https://ex\u{430}mple.com/", "https://a.example/gr\u{F6}\u{DF}e",
            "https://a.example\u{301}/", "https://paypal.com@evil.example/", "https://user:pass@a.example",
            "https://a.example:80x/", "https://[::1", "https://a_b.example", "`https://a.example`",
            "https://a.example/" + String(repeating: "x", count: 2_000),
        ])
    func noLinks(text: String) {
        #expect(!described(text)[0].contains("[http"))
    }

    @Test("a link ends at a character that is invisible or changes the direction, and shows its whole target")
    func deceptiveLinks() {
        #expect(described("https://a.example/\u{202E}moc") == ["[https://a.example/]<U+202E>moc"])
        #expect(described("https://a.example/\u{200B}b") == ["[https://a.example/]<U+200B>b"])
        #expect(
            described("https://a.example/\u{1B}]8;;http://b.example\u{7}") == [
                "[https://a.example/]␛]8;;[http://b.example]␇"
            ])
    }

    @Test(
        "no character is lost, and a text of any kind takes linear time",
        arguments: [
            String(repeating: "` ", count: 30_000), String(repeating: "`a``b```c", count: 7_000),
            String(repeating: "```a\n", count: 13_000), String(repeating: "```\n", count: 16_001),
            String(repeating: "http://a/", count: 7_000) + "ö", String(repeating: "http://", count: 9_000),
            "https://a.example/" + String(repeating: ")", count: 60_000),
            (1...350).map { String(repeating: "`", count: $0) }.joined(separator: "x"),
        ])
    func anyText(text: String) {
        let lines = TextMarkup.lines(of: text)
        #expect(lines.map(\.text) == text.components(separatedBy: "\n"))
    }
}
