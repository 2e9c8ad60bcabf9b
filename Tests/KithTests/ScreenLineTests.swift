import Testing

@testable import kith

@Suite("Lines of texts on a terminal") struct ScreenLineTests {
    private let coloured = TerminalFeatures(colours: true, links: false)
    private let linked = TerminalFeatures(colours: false, links: true)

    private func lines(_ text: String, end: ScreenLine.End = ScreenLine.End()) -> [ScreenLine] {
        TextMarkup.lines(of: text).enumerated().map { index, line in
            ScreenLine(.message, head: [ScreenLine.Mark(index == 0 ? "bob : " : "  │ ", .plain)], line, end: end)
        }
    }

    private func link(_ part: String, to target: String) -> String {
        "\u{1B}]8;id=kith;\(target)\u{1B}\\\(part)\u{1B}]8;;\u{1B}\\"
    }

    @Test("code has a colour, and keeps its backticks and its characters")
    func code() {
        let rows = lines("run `make`:\n```sh\ncd a\n```").flatMap { $0.rows(columns: 40, coloured) }
        #expect(
            rows == [
                "bob : run \u{1B}[2m`\u{1B}[0m\u{1B}[35mmake\u{1B}[0m\u{1B}[2m`\u{1B}[0m:",
                "  │ \u{1B}[2m```sh\u{1B}[0m",
                "  │ \u{1B}[35mcd a\u{1B}[0m", "  │ \u{1B}[2m```\u{1B}[0m",
            ])
        let plain = lines("run `make`:\n```sh\ncd a\n```").flatMap { $0.rows(columns: 40, .plain) }
        #expect(plain == ["bob : run `make`:", "  │ ```sh", "  │ cd a", "  │ ```"])
        #expect(lines("run `make`")[0].painted(.plain) == "bob : run `make`")
    }

    @Test("a row that continues a line of code has a head of its own, so it can't pass for a line of code")
    func wrappedCode() {
        let rows = lines("```\n  if a { b() }\nc\n```").flatMap { $0.rows(columns: 15, .plain) }
        #expect(rows == ["bob : ```", "  │   if a { b", "  ┆ () }", "  │ c", "  │ ```"])
        let text = lines("one two `three four` five").flatMap { $0.rows(columns: 16, coloured) }
        #expect(
            text == [
                "bob : one two ", "\u{1B}[2m  │ \u{1B}[0m\u{1B}[2m`\u{1B}[0m\u{1B}[35mthree \u{1B}[0m",
                "\u{1B}[2m  │ \u{1B}[0m\u{1B}[35mfour\u{1B}[0m\u{1B}[2m`\u{1B}[0m five",
            ])
    }

    @Test("a link in several rows keeps its whole target and its id; without links, the text is the same")
    func links() {
        let address = "https://a.example/one/two"
        let line = lines("see \(address).")[0]
        #expect(line.rows(columns: 80, linked) == ["bob : see \(link(address, to: address))."])
        #expect(
            line.rows(columns: 24, linked) == [
                "bob : see ", "  │ \(link("https://a.example/o", to: address))", "  │ \(link("ne/two", to: address)).",
            ])
        #expect(line.rows(columns: 80, .plain) == ["bob : see \(address)."])
        #expect(line.painted(linked) == "bob : see \(link(address, to: address)).")
    }

    @Test("a mark that grows takes no further row, and no row exceeds the width", arguments: [5, 12, 15, 20, 40])
    func ends(columns: Int) {
        for length in 0..<60 {
            for text in [String(repeating: "ab ", count: length), String(repeating: "👩‍👩‍👧", count: length)] {
                let end = ScreenLine.End(
                    note: length.isMultiple(of: 2) ? "(p)" : "", delivery: .init("✓", .dim), seq: 1)
                var line = lines(text, end: end)[0]
                let before = line.rows(columns: columns, .plain)
                line.end.delivery = .init("✓✓ 7", .green)
                let after = line.rows(columns: columns, .plain)
                #expect(before.count == after.count && before.dropLast() == after.dropLast())
                #expect(after.last?.hasSuffix("✓✓ 7") == true)
                guard columns > 12 else { continue }
                for row in after { #expect(DisplayWidth.atMost(row) < columns) }
            }
        }
    }

    @Test("a mark without room beside the text has a row of its own")
    func endBelow() {
        let end = ScreenLine.End(note: "(edited)", delivery: .init("✓", .dim), seq: 1)
        let line = ScreenLine(.own, head: [ScreenLine.Mark("bob : ", .plain)], TextLine(plain: "0123456789"), end: end)
        #expect(line.rows(columns: 32, .plain) == ["bob : 0123456789 (edited) ✓"])
        #expect(line.rows(columns: 30, .plain) == ["bob : 0123456789", "  │ (edited) ✓"])
        #expect(
            line.rows(columns: 32, coloured)
                == ["bob : 0123456789 \u{1B}[2m(edited)\u{1B}[0m \u{1B}[2m✓\u{1B}[0m"])
    }
}
