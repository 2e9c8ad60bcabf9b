/// Draws the input line at the bottom of the screen, and sometimes a status line above the input line. At the right end of the
/// input line, there may be words about members who are typing. The functions return text
/// for the terminal. That text draws the input line and the status line, prints other lines above the two lines, or erases the
/// two lines. The type performs no input or output.
///
/// Each line takes one row and never uses the last column, so no terminal wraps the line. If a line is too long, only the part
/// around the cursor is shown. While the rest of the line is drawn, the terminal itself remembers the position of the cursor,
/// so the position is right even if this program and the terminal disagree about the width of a character.
struct InputLine {
    let prompt: [Character]
    private(set) var columns: Int
    /// The number of columns before the cursor after the last drawing, on a terminal that shows each character as one picture. A
    /// number below the true number does no harm. With a number above the true number, the next drawing would erase lines above
    /// the input line.
    private var cursorColumn = 0
    /// The text above the line; `nil` for none.
    private var status: String?
    /// Words that are shown at the right end of the input line while the typed text leaves room for them. The first form that has
    /// room is shown. Nothing moves when they come or go.
    private var typing: [String] = []
    /// The width of the status after the last drawing; `nil` if there was no status.
    private var statusColumns: Int?
    private let colours: Bool

    private static let eraseRow = "\u{1B}[K"
    private static let eraseBelow = "\u{1B}[J"
    private static let save = "\u{1B}7"
    private static let restore = "\u{1B}8"

    init(prompt: String, columns: Int, colours: Bool = false) {
        self.colours = colours
        self.prompt = Array(SafeText.oneLine(prompt))
        self.columns = max(1, columns)
    }

    /// Draws the input line again.
    mutating func draw(_ editor: LineEditor) -> String { erase() + content(editor) }

    /// Prints complete lines, and draws the input line below them.
    mutating func print(_ lines: [String], _ editor: LineEditor) -> String {
        erase() + lines.map { $0 + "\r\n" }.joined() + content(editor)
    }

    /// Replaces rows above the input line.
    mutating func change(_ changes: [PrintedLines.Change], _ editor: LineEditor) -> String {
        guard !changes.isEmpty else { return "" }
        let rows = changes.map { "\u{1B}[\($0.above)A\r\($0.row)\(Self.eraseRow)\u{1B}[\($0.above)B\r" }
        return erase() + rows.joined() + content(editor)
    }

    /// Erases the input line, and the status line above it if there is one. The cursor is then at the beginning of the first
    /// erased line.
    mutating func erase() -> String {
        erase(rowsAbove: statusColumns == nil ? 0 : 1)
    }

    /// Removes everything from the terminal, also the lines that have scrolled out of the window, and draws the input line.
    mutating func clearAll(_ editor: LineEditor) -> String {
        _ = erase()
        // Some terminals move erased lines to the lines that have scrolled out of the window, so these lines are removed last.
        return "\u{1B}[H\u{1B}[2J\u{1B}[3J" + content(editor)
    }

    /// Sets the text above the input line; `nil` removes the text.
    mutating func setStatus(_ status: String?, _ editor: LineEditor) -> String {
        guard status != self.status else { return "" }
        self.status = status
        return draw(editor)
    }

    /// Sets the words at the right end of the input line, the longest form first; an empty list removes them.
    mutating func setTyping(_ forms: [String], _ editor: LineEditor) -> String {
        let forms = forms.map(SafeText.oneLine)
        guard forms != typing else { return "" }
        typing = forms
        return draw(editor)
    }

    private mutating func erase(rowsAbove: Int, mayBeWrapped: Bool = false) -> String {
        cursorColumn = 0
        statusColumns = nil
        // This erases one row only, because some terminals save the screen when all of it is erased.
        guard rowsAbove > 0 || mayBeWrapped else { return "\r" + Self.eraseRow }
        return (rowsAbove > 0 ? "\u{1B}[\(rowsAbove)A" : "") + "\r" + Self.eraseBelow
    }

    /// Draws the line again for a new width. The terminal may have wrapped the old line.
    mutating func resize(to columns: Int, _ editor: LineEditor) -> String {
        let columns = max(1, columns)
        let rowsAbove = cursorColumn / columns + (statusColumns.map { max(1, ($0 + columns - 1) / columns) } ?? 0)
        self.columns = columns
        return erase(rowsAbove: rowsAbove, mayBeWrapped: true) + content(editor)
    }

    private mutating func content(_ editor: LineEditor) -> String {
        let room = max(1, columns - 1)
        var above = ""
        if let status {
            let shown = Self.cut(SafeText.oneLine(status), to: room)
            statusColumns = DisplayWidth.of(shown)
            above = Colour.yellow.paint(shown, if: colours) + "\r\n"
        }
        let cells = editor.text.map(Self.cell)
        let cursor = editor.cursor
        var shownPrompt: [Character] = []
        var promptWidth = 0
        for character in prompt {
            let width = DisplayWidth.atMost(character)
            // At least half of the row is reserved for typed text.
            guard promptWidth + width <= room / 2 else { break }
            shownPrompt.append(character)
            promptWidth += width
        }
        let window = Self.window(cells, cursor: cursor, room: room - promptWidth)
        let before = (window.range.lowerBound > 0 ? "<" : "") + cells[window.range.lowerBound..<cursor].joined()
        let after =
            cells[cursor..<window.range.upperBound].joined() + (window.range.upperBound < cells.count ? ">" : "")
        cursorColumn = DisplayWidth.of(shownPrompt) + DisplayWidth.of(before)
        let isWhole = window.range.count == cells.count
        let behind = after + (isWhole ? typingWords(free: room - promptWidth - window.width, room: room) : "")
        return above + String(shownPrompt) + before + (behind.isEmpty ? "" : Self.save + behind + Self.restore)
    }

    /// Returns the words about members who are typing, at the right end of the row. Returns nothing if the typed text leaves no room
    /// for them.
    ///
    /// - Parameter free: the number of columns after the typed text.
    private func typingWords(free: Int, room: Int) -> String {
        // Two columns separate the words from the typed text.
        guard let words = typing.first(where: { DisplayWidth.atMost($0) + 2 <= free }) else { return "" }
        let column = room - DisplayWidth.atMost(words) + 1
        return "\u{1B}[\(column)G" + Colour.dim.paint(words, if: colours)
    }

    /// Returns the text that is drawn for a character. A line break becomes a symbol. A character that controls a terminal or is
    /// invisible becomes a code of several columns.
    private static func cell(_ character: Character) -> String {
        character == "\n" ? "⏎" : SafeText.oneLine(String(character))
    }

    /// Cuts a text to a width of at most `room`. A mark shows the cut.
    private static func cut(_ text: String, to room: Int) -> String {
        if DisplayWidth.atMost(text) <= room { return text }
        // One column is for the mark.
        var width = 1
        return text.prefix { character in
            width += DisplayWidth.atMost(character)
            return width <= room
        } + "…"
    }

    /// Returns the part of a line that is shown: the whole line, or the part around the cursor. If a part is shown, one column at
    /// each end is left for a mark.
    ///
    /// - Parameter cells: the text that is drawn for each character.
    static func window(_ cells: [String], cursor: Int, room: Int) -> (range: Range<Int>, width: Int) {
        let widths = cells.map(DisplayWidth.atMost)
        let whole = widths.reduce(0, +)
        if whole <= room { return (0..<cells.count, whole) }
        let inside = max(0, room - 2)
        var start = cursor
        var end = cursor
        var width = 0
        // Up to two thirds of the columns show text before the cursor, and the others show text after it. If columns are left,
        // they show more text before the cursor.
        while start > 0, width + widths[start - 1] <= inside * 2 / 3 {
            start -= 1
            width += widths[start]
        }
        while end < cells.count, width + widths[end] <= inside {
            width += widths[end]
            end += 1
        }
        while start > 0, width + widths[start - 1] <= inside {
            start -= 1
            width += widths[start]
        }
        return (start..<end, width)
    }
}
