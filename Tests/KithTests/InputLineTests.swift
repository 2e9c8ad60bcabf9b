import Testing

@testable import kith

/// A terminal with the functions that the input line needs: it wraps, scrolls, moves, erases, saves and restores.
struct TinyTerminal {
    let columns: Int
    /// The height of the window, above which the cursor never moves.
    let windowRows: Int
    private(set) var rows: [[String]] = [[]]
    /// The first row of the window.
    private var top = 0
    private(set) var row = 0
    private(set) var column = 0
    private var saved = (row: 0, column: 0)

    init(columns: Int, windowRows: Int = .max) {
        self.columns = columns
        self.windowRows = windowRows
    }

    var lines: [String] {
        rows.map { row in
            let text = row.joined()
            return String(text.reversed().drop { $0 == " " }.reversed())
        }
    }

    mutating func write(_ text: String) {
        var rest = Array(text)[...]
        while let character = rest.popFirst() {
            switch character {
            case "\r\n":
                column = 0
                lineFeed()
            case "\r": column = 0
            case "\u{1B}":
                switch rest.popFirst() {
                case "7": saved = (row, column)
                case "8": (row, column) = saved
                case "[":
                    var number = 0
                    while let digit = rest.first?.wholeNumberValue {
                        number = number * 10 + digit
                        rest = rest.dropFirst()
                    }
                    switch rest.popFirst() {
                    case "A": row = max(top, row - number)
                    case "B": row = min(rows.count - 1, row + number)
                    case "G": column = min(number, columns) - 1
                    case "K": rows[row] = Array(rows[row].prefix(column))
                    case "J":
                        rows[row] = Array(rows[row].prefix(column))
                        rows.removeSubrange((row + 1)...)
                    default: break
                    }
                default: break
                }
            default: put(character)
            }
        }
    }

    private mutating func put(_ character: Character) {
        let width = DisplayWidth.of(character)
        if column + width > columns {
            column = 0
            lineFeed()
        }
        while rows[row].count < column + width { rows[row].append(" ") }
        rows[row][column] = String(character)
        if width == 2 { rows[row][column + 1] = "" }
        column += width
    }

    private mutating func lineFeed() {
        row += 1
        if row == rows.count { rows.append([]) }
        if row - top >= windowRows { top += 1 }
    }
}

@Suite struct InputLineTests {
    private func editor(_ keys: Key...) -> LineEditor {
        var editor = LineEditor()
        for key in keys { _ = editor.handle(key) }
        return editor
    }

    @Test("arriving lines appear above the typed text and leave it intact")
    func arrivingLines() {
        var terminal = TinyTerminal(columns: 40)
        var line = InputLine(prompt: "alice : ", columns: 40)
        let editor = editor(.text("half a 宽 line"), .left, .left)
        terminal.write(line.draw(editor))
        terminal.write(line.print(["bob : one (verified)"], editor))
        terminal.write(line.print(["bob : a line that is longer than the terminal is wide (verified)"], editor))
        #expect(
            terminal.lines == [
                "bob : one (verified)", "bob : a line that is longer than the ter", "minal is wide (verified)",
                "alice : half a 宽 line",
            ])
        #expect(terminal.column == 8 + 12)
    }

    @Test("the cursor is right behind wide characters and accents")
    func cursor() {
        for (text, before) in [("abc", 3), ("宽字", 4), ("e\u{301}x", 2), ("🙂🇩🇪", 4)] {
            var terminal = TinyTerminal(columns: 40)
            var line = InputLine(prompt: "> ", columns: 40)
            terminal.write(line.draw(editor(.text(text), .text("rest"), .left, .left, .left, .left)))
            #expect(terminal.column == 2 + before)
            #expect(terminal.lines == ["> \(text)rest"])
        }
    }

    @Test("a long line shows the part around the cursor on one row, at any width")
    func longLines() {
        let text = (0..<100).map { $0.isMultiple(of: 7) ? "宽" : "\($0 % 10)" }.joined()
        for columns in [1, 2, 3, 5, 10, 20, 39, 80] {
            for moves in [0, 1, 30, 99, 100] {
                var editor = editor(.text(text))
                for _ in 0..<moves { _ = editor.handle(.left) }
                var terminal = TinyTerminal(columns: max(2, columns))
                var line = InputLine(prompt: "alice : ", columns: columns)
                terminal.write(line.draw(editor))
                #expect(terminal.rows.count == 1)
                let window = InputLine.window(editor.text.map(String.init), cursor: editor.cursor, room: columns)
                #expect(window.range.lowerBound <= editor.cursor && editor.cursor <= window.range.upperBound)
                #expect(window.width <= columns)
            }
        }
    }

    @Test("a narrower terminal that wraps the input line keeps the lines above")
    func narrower() {
        // The contents of a terminal of 40 columns, on one of 20.
        var terminal = TinyTerminal(columns: 20)
        terminal.write("bob : hello (verified)\r\n")
        var line = InputLine(prompt: "alice : ", columns: 40)
        let editor = editor(.text("twenty-five characters!!!"))
        terminal.write(line.draw(editor))
        #expect(terminal.rows.count == 4)
        terminal.write(line.resize(to: 20, editor))
        #expect(terminal.lines == ["bob : hello (verifie", "d)", "alice : <acters!!!"])
    }

    @Test("words about typing are at the right end of the input line, and nothing moves when they come or go")
    func typing() {
        var terminal = TinyTerminal(columns: 40)
        var line = InputLine(prompt: "alice : ", columns: 40)
        let typed = editor(.text("hi"), .left)
        terminal.write(line.print(["bob : hello"], typed))
        terminal.write(line.setTyping(["[bob is typing]", "[typing]"], typed))
        #expect(terminal.lines == ["bob : hello", "alice : hi              [bob is typing]"])
        #expect(terminal.column == 9 && terminal.row == 1)
        terminal.write(line.setStatus("[connecting]", typed))
        #expect(terminal.lines == ["bob : hello", "[connecting]", "alice : hi              [bob is typing]"])
        terminal.write(line.setStatus(nil, typed))
        terminal.write(line.setTyping([], typed))
        #expect(terminal.lines == ["bob : hello", "alice : hi"] && terminal.column == 9)
        #expect(line.setTyping([], typed) == "")
    }

    @Test("where the typed text leaves less room, a shorter form is shown, and then none; the last column stays free")
    func typingWithoutRoom() {
        let forms = ["[bob is typing]", "[typing]"]
        for (columns, text, shown) in [
            (26, "", "alice :   [bob is typing]"), (25, "", "alice :         [typing]"),
            (20, "", "alice :    [typing]"),
            (20, "a", "alice : a  [typing]"), (20, "ab", "alice : ab"), (20, "a longer text", "alice : <nger text"),
            (19, "宽", "alice : 宽"), (5, "", "al"), (1, "", ""),
        ] {
            var terminal = TinyTerminal(columns: max(2, columns))
            var line = InputLine(prompt: "alice : ", columns: columns)
            let typed = editor(.text(text))
            terminal.write(line.draw(typed))
            terminal.write(line.setTyping(forms, typed))
            #expect(terminal.lines == [shown], "\(columns) columns, \(text)")
        }
    }

    @Test("wide names fit, and a name can't control the terminal")
    func typingNames() {
        for (words, shown) in [
            ("[宽宽 is typing]", "> a                    [宽宽 is typing]"),
            ("[🙂 is typing]", "> a                      [🙂 is typing]"),
            ("[e\u{301}va is typing]", "> a                     [e\u{301}va is typing]"),
        ] {
            var terminal = TinyTerminal(columns: 40)
            var line = InputLine(prompt: "> ", columns: 40)
            terminal.write(line.setTyping([words], editor(.text("a"))))
            #expect(terminal.lines == [shown] && terminal.column == 3)
        }
        var line = InputLine(prompt: "> ", columns: 40)
        let drawn = line.setTyping(["[\u{1B}[2J is typing]"], editor())
        #expect(!drawn.contains("\u{1B}[2J"))
    }

    @Test("a status has a row of its own and disappears without a trace")
    func status() {
        var terminal = TinyTerminal(columns: 20)
        var line = InputLine(prompt: "> ", columns: 20)
        let editor = editor(.text("typing"))
        terminal.write(line.draw(editor))
        terminal.write(line.setStatus("[waiting: a long message that does not fit]", editor))
        #expect(terminal.lines == ["[waiting: a long m…", "> typing"])
        #expect(terminal.column == 8)
        terminal.write(line.print(["bob : hello"], editor))
        #expect(terminal.lines == ["bob : hello", "[waiting: a long m…", "> typing"])
        terminal.write(line.setStatus("[宽宽宽宽宽宽宽宽宽宽]", editor))
        #expect(terminal.lines == ["bob : hello", "[宽宽宽宽宽宽宽宽…", "> typing"])
        terminal.write(line.setStatus(nil, editor))
        #expect(terminal.lines == ["bob : hello", "> typing"])
        #expect(line.setStatus(nil, editor) == "")
    }

    @Test("a narrower terminal that wraps the status keeps the lines above")
    func narrowerWithStatus() {
        var terminal = TinyTerminal(columns: 20)
        terminal.write("bob : hello\r\n")
        var line = InputLine(prompt: "> ", columns: 60)
        let editor = editor(.text("twenty-five characters!!!"))
        terminal.write(line.setStatus("[no connection: refused; trying again]", editor))
        #expect(terminal.rows.count == 1 + 2 + 2)
        terminal.write(line.resize(to: 20, editor))
        #expect(terminal.lines == ["bob : hello", "[no connection: re…", "> <e characters!!!"])
    }

    @Test("control and invisible characters are drawn as codes, with the cursor behind them")
    func harmless() {
        var terminal = TinyTerminal(columns: 40)
        var line = InputLine(prompt: "> ", columns: 40)
        var editor = editor(.paste("a\tb\u{202E}c\u{200B}d"))
        terminal.write(line.draw(editor))
        #expect(terminal.lines == ["> a b<U+202E>c<U+200B>d"])
        #expect(terminal.column == 23)
        for column in [22, 14, 13, 5, 4, 3, 2, 2] {
            _ = editor.handle(.left)
            terminal.write(line.draw(editor))
            #expect(terminal.column == column)
        }
        _ = editor.handle(.end)
        for width in 2...24 {
            var narrow = TinyTerminal(columns: width)
            narrow.write(line.resize(to: width, editor))
            #expect(narrow.rows.count == 1)
        }
    }

    @Test("a text of several lines is edited on one row")
    func lineBreaks() {
        var terminal = TinyTerminal(columns: 40)
        var line = InputLine(prompt: "> ", columns: 40)
        var editor = LineEditor(keepsLineBreaks: true)
        _ = editor.handle(.paste("one\ntwo\n"))
        terminal.write(line.draw(editor))
        #expect(terminal.lines == ["> one⏎two"])
        #expect(terminal.column == 9)
    }
}
