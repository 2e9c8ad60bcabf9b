/// The last line of the screen, where a person types, and a status line above it at times: what to send to the terminal to
/// draw them, to print above them, and to take them away. Pure.
///
/// Each always takes one row and never its last column, so no terminal wraps it. A longer line shows the part around the
/// cursor. The cursor is put in its place by the terminal itself (save, write on, restore), so it is right also where
/// this program and the terminal disagree on how wide something is.
struct InputLine {
    let prompt: [Character]
    private(set) var columns: Int
    /// The columns in front of the cursor when it was drawn last: what a terminal takes that shows each character as one.
    /// Rather too few than too many, since what is above is not to be erased.
    private var cursorColumn = 0
    /// What stands above the line, if anything.
    private var status: String?
    /// The columns that the status took when it was drawn last; `nil` if there was none.
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

    /// Draws the line anew.
    mutating func draw(_ editor: LineEditor) -> String { erase() + content(editor) }

    /// Prints whole lines and draws the input line below them.
    mutating func print(_ lines: [String], _ editor: LineEditor) -> String {
        erase() + lines.map { $0 + "\r\n" }.joined() + content(editor)
    }

    /// Takes the line away; the cursor stays where it began.
    mutating func erase() -> String {
        erase(rowsAbove: statusColumns == nil ? 0 : 1)
    }

    /// Puts something above the line, or nothing.
    mutating func setStatus(_ status: String?, _ editor: LineEditor) -> String {
        guard status != self.status else { return "" }
        self.status = status
        return draw(editor)
    }

    private mutating func erase(rowsAbove: Int, mayBeWrapped: Bool = false) -> String {
        cursorColumn = 0
        statusColumns = nil
        // Some terminals take the erasing of a whole screen for a reason to keep what was on it.
        guard rowsAbove > 0 || mayBeWrapped else { return "\r" + Self.eraseRow }
        return (rowsAbove > 0 ? "\u{1B}[\(rowsAbove)A" : "") + "\r" + Self.eraseBelow
    }

    /// The terminal has another width, and may have wrapped what was drawn.
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
            // At least half of the row is for typing.
            guard promptWidth + width <= room / 2 else { break }
            shownPrompt.append(character)
            promptWidth += width
        }
        let window = Self.window(cells, cursor: cursor, room: room - promptWidth)
        let before = (window.range.lowerBound > 0 ? "<" : "") + cells[window.range.lowerBound..<cursor].joined()
        let after =
            cells[cursor..<window.range.upperBound].joined() + (window.range.upperBound < cells.count ? ">" : "")
        cursorColumn = DisplayWidth.of(shownPrompt) + DisplayWidth.of(before)
        return above + String(shownPrompt) + before + (after.isEmpty ? "" : Self.save + after + Self.restore)
    }

    /// What is drawn for a character of the line: a picture for a line break, and nothing that a terminal obeys. Several
    /// columns stand for what is invisible.
    private static func cell(_ character: Character) -> String {
        character == "\n" ? "⏎" : SafeText.oneLine(String(character))
    }

    /// As much of a text as surely fits, with a mark where it was cut.
    private static func cut(_ text: String, to room: Int) -> String {
        if DisplayWidth.atMost(text) <= room { return text }
        // The mark takes one.
        var width = 1
        return text.prefix { character in
            width += DisplayWidth.atMost(character)
            return width <= room
        } + "…"
    }

    /// The part of a line that is shown: all of it if it fits, or else what is around the cursor, with a column at each
    /// end for a mark. The line is given by what is drawn for each of its characters.
    static func window(_ cells: [String], cursor: Int, room: Int) -> (range: Range<Int>, width: Int) {
        let widths = cells.map(DisplayWidth.atMost)
        let whole = widths.reduce(0, +)
        if whole <= room { return (0..<cells.count, whole) }
        let inside = max(0, room - 2)
        var start = cursor
        var end = cursor
        var width = 0
        // Two thirds in front of the cursor, the rest behind it, and then whatever still fits in front.
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
