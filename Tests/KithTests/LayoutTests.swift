import Foundation
import Testing

@testable import kith

@Suite struct LayoutTests {
    @Test(
        "characters have the widths that terminals use",
        arguments: [
            ("a", 1), ("é", 1), ("e\u{301}", 1), ("世", 2), ("ｆ", 2), ("🙂", 2), ("❤\u{FE0F}", 2), ("❤", 1), ("🇩🇪", 2),
            ("👩‍👩‍👧", 2), ("한", 2), ("\u{301}", 0), ("…", 1), ("│", 1), ("א", 1),
            // Keycaps.
            ("1\u{FE0F}\u{20E3}", 2), ("#\u{FE0F}\u{20E3}", 2), ("*\u{FE0F}\u{20E3}", 2), ("9\u{20E3}", 2),
            ("1\u{FE0F}", 2), ("1", 1), ("#", 1),
            // Text or picture.
            ("❤\u{FE0E}", 1), ("⌚", 2), ("⌚\u{FE0E}", 1), ("⌚\u{FE0F}", 2), ("©", 1), ("©\u{FE0F}", 2),
            ("1\u{FE0E}", 1),
            // Flags, and a half of one.
            ("\u{1F1E9}", 1), ("\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", 2),
            // Sequences, fully written or not.
            ("\u{1F3F3}\u{FE0F}\u{200D}\u{1F308}", 2), ("\u{1F3F3}\u{200D}\u{1F308}", 2),
            ("\u{1F441}\u{FE0F}\u{200D}\u{1F5E8}\u{FE0F}", 2), ("👨🏽‍🚀", 2),
            // Skin tones.
            ("👍🏽", 2), ("\u{261D}\u{1F3FD}", 2), ("\u{1F3FD}", 2),
            // Marks, alone and many of them, and what joins.
            ("a\u{301}\u{302}\u{20DD}", 1), ("世\u{302}", 2), ("\u{1112}\u{1161}\u{11AB}", 2), ("\u{200D}", 0),
            ("\t", 0), ("\u{7F}", 0),
        ] as [(Character, Int)])
    func widths(character: Character, width: Int) {
        #expect(DisplayWidth.of(character) == width)
        #expect(DisplayWidth.atMost(character) >= width)
    }

    @Test("the maximum width covers a sequence that is shown in parts, and characters of later versions of Unicode")
    func widthsInParts() {
        for (text, width) in [
            ("1\u{FE0F}\u{20E3}", 2), ("👩‍👩‍👧", 6), ("\u{1F441}\u{FE0F}\u{200D}\u{1F5E8}\u{FE0F}", 4), ("🇩🇪", 4),
            ("\u{261D}\u{1F3FD}", 3), ("⌚\u{FE0E}", 2), ("\u{1FFFD}", 2), ("\u{E000}", 2),
        ] {
            #expect(DisplayWidth.atMost(text) == width)
        }
    }

    @Test("JSON contains nothing that a terminal obeys, and decodes to the exact text")
    func json() throws {
        struct Value: Codable, Equatable { let text: String }
        let plain = "plain \"世界\" 🙂 é עברית \\ /"
        #expect(JSONLine.text(Value(text: plain)) == #"{"text":"plain \"世界\" 🙂 é עברית \\ /"}"#)
        #expect(
            JSONLine.text(Value(text: "\u{1B}\u{7F}\u{9B}\u{202E}\u{2028}\u{E0041}"))
                == #"{"text":"\u001b\u007f\u009b\u202e\u2028\udb40\udc41"}"#)
        for value in 0...0x10ffff as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value), SafeText.oneLine("\(scalar)") != "\(scalar)" else { continue }
            let line = JSONLine.text(Value(text: "a\(scalar)b"))
            #expect(SafeText.oneLine(line) == line)
            #expect(try JSONDecoder().decode(Value.self, from: Data(line.utf8)) == Value(text: "a\(scalar)b"))
        }
    }

    @Test("text wraps between words, without loss")
    func wrap() {
        #expect(TextLayout.wrap("one two three", width: 8) == ["one two", "three"])
        #expect(TextLayout.wrap("", width: 8) == [""])
        #expect(TextLayout.wrap("  one two", width: 7) == ["  one", "  two"])
        #expect(TextLayout.wrap("abcdefghij", width: 4) == ["abcd", "efgh", "ij"])
        #expect(TextLayout.wrap("宽宽宽", width: 5) == ["宽宽", "宽"])
        #expect(TextLayout.wrap("x 1234-5678-9abc", width: 10) == ["x", "1234-5678-", "9abc"])
    }

    @Test("folded rows fit, break behind spaces, and together are the text")
    func fold() {
        #expect(TextLayout.fold("one two three", first: 5, further: 8) == ["one ", "two ", "three"])
        #expect(TextLayout.fold("", first: 5, further: 8) == [""])
        #expect(TextLayout.fold("abcdefghij", first: 4, further: 3) == ["abcd", "efg", "hij"])
        #expect(TextLayout.fold("宽宽宽", first: 3, further: 5) == ["宽", "宽宽"])
        let text = "Some 宽字 and 👩‍👩‍👧 words,   andaverylongwordwithoutanyspaceinit."
        for width in 6...60 {
            let rows = TextLayout.fold(text, first: width, further: width)
            #expect(rows.joined() == text)
            for row in rows { #expect(DisplayWidth.of(row) <= width) }
        }
    }

    @Test("no line exceeds the width")
    func neverWider() {
        let text = "Some 宽字 and 👩‍👩‍👧 words, afd9-e3c5-8fcf-f391-4d7a-53eb, andaverylongwordwithoutanyspaceinit."
        for width in 2...60 {
            for line in TextLayout.wrap(text, width: width) { #expect(DisplayWidth.of(line) <= width) }
        }
    }

    @Test("padding and cutting count columns")
    func pad() {
        #expect(TextLayout.pad("宽", to: 4) == "宽  ")
        #expect(TextLayout.pad("宽宽宽", to: 5) == "宽宽 ")
    }

    @Test("equal topics of two columns share a row")
    func sideBySide() {
        typealias Cell = SideBySide.Cell
        let table = SideBySide(width: 63, leftTitle: "Alice", rightTitle: "Bob")
        let lines = table.lines(
            left: [Cell(topic: "a", text: "宽 one"), Cell(topic: "b", text: "two")],
            right: [Cell(topic: "b", text: "zwei"), Cell(topic: "c", text: "drei")])
        #expect(
            Set(
                lines.dropFirst().map { line in
                    line.firstIndex { $0 == "│" || $0 == "┼" }.map { DisplayWidth.of(line[..<$0]) }
                }) == [31])
        #expect(lines.contains { $0.contains("two") && $0.contains("zwei") })
        #expect(lines.contains { $0.contains("宽 one") && !$0.contains("drei") })
        for line in lines { #expect(DisplayWidth.of(line) <= 63) }
    }

    @Test("without room for two columns, one follows the other")
    func narrow() {
        let table = SideBySide(width: 30, leftTitle: "Alice", rightTitle: "Bob")
        let lines = table.lines(left: [.init(topic: "a", text: "one")], right: [.init(topic: "a", text: "eins")])
        #expect(lines.filter { !$0.contains("─") && !$0.isEmpty } == ["Alice", "one", "Bob", "eins"])
    }

    @Test("safe text can't move the cursor, break a line, or read differently from what it says")
    func safeText() {
        #expect(SafeText.oneLine("plain 世界 👩‍👩‍👧 é עברית") == "plain 世界 👩‍👩‍👧 é עברית")
        #expect(SafeText.oneLine("\u{1B}[2J\u{1B}]0;x\u{7}") == "␛[2J␛]0;x␇")
        #expect(SafeText.oneLine("a\nbob : hi (verified)\r") == "a␊bob : hi (verified)␍")
        #expect(SafeText.oneLine("\u{9B}2J\u{85}") == "<U+9B>2J<U+85>")
        #expect(
            SafeText.oneLine("a\u{202E}b\u{2066}\u{200E}\u{200B}\u{FEFF}\u{2028}")
                == "a<U+202E>b<U+2066><U+200E><U+200B><U+FEFF><U+2028>")
        #expect(SafeText.oneLine("\u{7F}\u{0}") == "␡␀")
        for value in 0...0x10ffff as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let safe = SafeText.oneLine(String(Character(scalar))).unicodeScalars
            #expect(!safe.contains { $0.properties.generalCategory == .control })
        }
    }
}
