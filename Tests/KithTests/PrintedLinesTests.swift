import TestSupport
import Testing

@testable import kith

@Suite("Marks of printed lines") struct PrintedLinesTests {
    /// A terminal with an input line, as a chat uses it.
    private struct Screen {
        var terminal: TinyTerminal
        var input: InputLine
        var printed: PrintedLines
        let editor = LineEditor()

        init(columns: Int, windowRows: Int) {
            terminal = TinyTerminal(columns: columns, windowRows: windowRows)
            input = InputLine(prompt: "> ", columns: columns)
            printed = PrintedLines(columns: columns, windowRows: windowRows)
            terminal.write(input.draw(editor))
        }

        mutating func print(_ line: ScreenLine) {
            printed.add(line)
            terminal.write(input.print(line.rows(columns: terminal.columns, .plain), editor))
        }

        mutating func mark(_ mark: String) {
            let changes = printed.change(.plain) { _ in ScreenLine.Mark(mark, .plain) }
            terminal.write(input.change(changes, editor))
        }

        mutating func status(_ status: String?) { terminal.write(input.setStatus(status, editor)) }
    }

    private func own(_ seq: UInt64, _ text: String) -> ScreenLine {
        ScreenLine(
            .own, head: [ScreenLine.Mark("me : ", .plain)], TextLine(plain: text),
            end: ScreenLine.End(delivery: ScreenLine.Mark("✓", .plain), seq: seq))
    }

    private func other(_ text: String) -> ScreenLine {
        ScreenLine(.message, head: [ScreenLine.Mark("bob : ", .plain)], TextLine(plain: text))
    }

    @Test("marks change in their places; the input line, the status and the other lines stay")
    func change() {
        var screen = Screen(columns: 20, windowRows: 8)
        screen.print(own(1, "a text of two rows in all"))
        screen.print(other("hello"))
        screen.status("[status]")
        screen.print(own(2, "yes"))
        screen.mark("✓✓")
        #expect(
            screen.terminal.lines == [
                "me : a text of two", "  │ rows in all", "  │ ✓✓", "bob : hello", "me : yes ✓✓", "[status]", ">",
            ])
        #expect(screen.terminal.column == 2)
    }

    @Test("a mark that has left the window stays, and its line is not found")
    func scrolled() {
        var screen = Screen(columns: 20, windowRows: 5)
        for number in 1...5 as ClosedRange<UInt64> { screen.print(own(number, "no \(number)")) }
        screen.mark("✓✓")
        #expect(
            screen.terminal.lines == [
                "me : no 1 ✓", "me : no 2 ✓", "me : no 3 ✓✓", "me : no 4 ✓✓", "me : no 5 ✓✓", ">",
            ])
        #expect((1...5).map(screen.printed.contains) == [false, false, true, true, true])
    }

    @Test("a line that may wrap, and a window of unknown or tiny height, leave nothing to change")
    func uncertain() {
        var screen = Screen(columns: 20, windowRows: 8)
        screen.print(own(1, "hi"))
        screen.print(ScreenLine(.message, "\(own: String(repeating: "x", count: 30))"))
        screen.print(own(2, "hi"))
        screen.mark("✓✓")
        #expect(
            screen.terminal.lines == ["me : hi ✓", String(repeating: "x", count: 20), "xxxxxxxxxx", "me : hi ✓✓", ">"])
        for windowRows in [nil, 0, 1, 2] {
            var printed = PrintedLines(columns: 20, windowRows: windowRows)
            printed.add(own(1, "hi"))
            #expect(!printed.contains(1))
        }
    }

    @Test("a window of another size does not fit")
    func size() {
        let printed = PrintedLines(columns: 20, windowRows: 8)
        #expect(printed.fits(columns: 20, windowRows: 8))
        #expect(!printed.fits(columns: 21, windowRows: 8))
        #expect(!printed.fits(columns: 20, windowRows: 9))
        #expect(!printed.fits(columns: 20, windowRows: nil))
    }

    @Test("whatever is printed, each line stays once, with the last mark that reached it", arguments: 0..<40)
    func anything(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let columns = Int.random(in: 14...40, using: &random)
        var screen = Screen(columns: columns, windowRows: Int.random(in: 3...12, using: &random))
        var expected: [ScreenLine] = []
        var last = "✓"
        for step in 0..<60 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let line = own(UInt64(step), String(repeating: "宽 word ", count: Int.random(in: 0..<6, using: &random)))
                screen.print(line)
                expected.append(line)
            case 2:
                let line = other(String(repeating: "🙂 ", count: Int.random(in: 1..<20, using: &random)))
                screen.print(line)
                expected.append(line)
            case 3: screen.status("[status]")
            case 4: screen.status(nil)
            default:
                last = ["✓", "✓✓", "✓✓ 3"].randomElement(using: &random) ?? last
                for index in expected.indices {
                    if let seq = expected[index].end.seq, screen.printed.contains(seq) {
                        expected[index].end.delivery = ScreenLine.Mark(last, .plain)
                    }
                }
                screen.mark(last)
            }
            let rows = expected.flatMap { $0.rows(columns: columns, .plain) }.map { row in
                String(row.reversed().drop { $0 == " " }.reversed())
            }
            #expect(Array(screen.terminal.lines.prefix(rows.count)) == rows)
            #expect(screen.terminal.lines.last == ">")
        }
    }
}
