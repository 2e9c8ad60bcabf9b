import Testing

@testable import kith

@Suite struct KeyParserTests {
    private func keys(_ input: String) -> [Key] { keys(Array(input.utf8)) }

    private func keys(_ bytes: [UInt8]) -> [Key] {
        var parser = KeyParser()
        return parser.feed(bytes)
    }

    /// Bytes that terminals send, and the keys they mean.
    static let examples: [(String, [Key])] = [
        ("a", [.text("a")]),
        ("hello", [.text("hello")]),
        ("世é🙂", [.text("世é🙂")]),
        ("e\u{301}", [.text("e\u{301}")]),
        ("\r", [.enter]),
        ("\n", [.enter]),
        ("\u{7f}", [.backspace]),
        ("\u{8}", [.backspace]),
        ("\u{1B}[A\u{1B}[B\u{1B}[C\u{1B}[D", [.up, .down, .right, .left]),
        ("\u{1B}OA\u{1B}OH\u{1B}OF", [.up, .home, .end]),
        ("\u{1B}[H\u{1B}[F\u{1B}[1~\u{1B}[4~\u{1B}[7~\u{1B}[8~", [.home, .end, .home, .end, .home, .end]),
        ("\u{1B}[3~", [.delete]),
        ("\u{1B}[5~\u{1B}\r", [.pageUp, .lineBreak]),
        ("\u{1B}[1;5C\u{1B}[1;5D\u{1B}[1;3C", [.wordRight, .wordLeft, .wordRight]),
        ("\u{1B}b\u{1B}f\u{1B}\u{7f}", [.wordLeft, .wordRight, .deleteWord]),
        ("\u{1}\u{5}\u{15}\u{17}\u{B}\u{C}", [.home, .end, .deleteToStart, .deleteWord, .deleteToEnd, .redraw]),
        ("\u{3}\u{4}\u{1A}", [.interrupt, .endOfInput, .suspend]),
        ("\t", [.tab]),
        ("\u{1B}[200~two\r\nlines\u{1B}[A\u{1B}[201~x", [.paste("two\r\nlines\u{1B}[A"), .text("x")]),
        ("\u{1B}[200~\u{1B}[201~", []),
        // Function keys and similar ones have no meaning here, and leave nothing behind.
        ("\u{1B}[15~\u{1B}[24~\u{1B}[1;2P\u{1B}[Z\u{1B}xa", [.text("a")]),
        ("\u{1B}[?2004;1$ya", [.text("a")]),
        ("\u{1B}\u{1B}[A", [.up]),
    ]

    @Test("keys of all common terminals are parsed", arguments: examples.indices)
    func understood(index: Int) {
        let (input, expected) = Self.examples[index]
        #expect(keys(input) == expected)
    }

    @Test("keys are parsed equally however the bytes are split", arguments: examples.indices)
    func split(index: Int) {
        let (input, expected) = Self.examples[index]
        let bytes = Array(input.utf8)
        for cut in 0...bytes.count {
            var parser = KeyParser()
            #expect(joined(parser.feed(bytes[..<cut]) + parser.feed(bytes[cut...])) == joined(expected))
        }
        var parser = KeyParser()
        #expect(joined(bytes.flatMap { parser.feed([$0]) }) == joined(expected))
        #expect(!parser.isWaiting)
    }

    /// Joins neighbouring texts.
    private func joined(_ keys: [Key]) -> [Key] {
        keys.reduce(into: []) { keys, key in
            if case .text(let new) = key, case .text(let old) = keys.last {
                keys[keys.count - 1] = .text(old + new)
            } else {
                keys.append(key)
            }
        }
    }

    @Test("a lone escape waits, and is dropped if nothing follows")
    func loneEscape() {
        var parser = KeyParser()
        #expect(parser.feed([0x1b]) == [])
        #expect(parser.isWaiting)
        parser.flush()
        #expect(parser.feed(Array("[A".utf8)) == [.text("[A")])
    }

    @Test("a character or the end of a paste may arrive in two halves")
    func slowLine() {
        for text in ["宽", "\u{1B}[200~x\u{1B}[201~"] {
            let bytes = Array(text.utf8)
            for cut in 1..<bytes.count where text == "宽" || cut > 7 {
                var parser = KeyParser()
                var keys = parser.feed(bytes[..<cut])
                parser.flush()
                keys += parser.feed(bytes[cut...])
                #expect(keys == (text == "宽" ? [.text("宽")] : [.paste("x")]))
            }
        }
    }

    @Test("broken UTF-8 is skipped without the bytes behind it")
    func brokenText() {
        #expect(keys([0xff, 0x61]) == [.text("a")])
        #expect(keys([0xe4, 0xb8, 0x61]) == [.text("a")])
        #expect(keys([0xc0, 0x80, 0x61]) == [.text("a")])
        #expect(keys([0xed, 0xa0, 0x80, 0x61]) == [.text("a")])
        #expect(keys([0xc2, 0x9b, 0x61]) == [.text("a")])
    }

    @Test("a huge paste comes in bounded parts of whole characters")
    func hugePaste() {
        let text = String(repeating: "宽", count: 100_000)
        var parser = KeyParser()
        var pasted = ""
        let bytes = Array("\u{1B}[200~\(text)\u{1B}[201~".utf8)
        for start in stride(from: 0, to: bytes.count, by: 1000) {
            for case .paste(let part) in parser.feed(bytes[start..<min(start + 1000, bytes.count)]) {
                #expect(part.utf8.count <= 70_000)
                pasted += part
            }
        }
        #expect(pasted == text)
    }

    @Test("no input leads to text that a terminal obeys")
    func noise() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bytes = (0..<40).map { _ in UInt8.random(in: 0...255, using: &generator) }
            for case .text(let text) in keys(bytes) {
                #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control })
            }
        }
    }
}
