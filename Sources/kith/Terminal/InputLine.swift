/// The last line of the screen, where a person types: what to send to the terminal to draw it, to print above it, and to
/// take it away. Pure.
///
/// It always takes one row and never its last column, so no terminal wraps it. A longer line shows the part around the
/// cursor. The cursor is put in its place by the terminal itself (save, write on, restore), so it is right also where
/// this program and the terminal disagree on how wide something is.
struct InputLine {
    let prompt: [Character]
    private(set) var columns: Int
    /// The columns in front of the cursor when it was drawn last: what a terminal takes that shows each character as one.
    /// Rather too few than too many, since what is above is not to be erased.
    private var cursorColumn = 0

    private static let eraseBelow = "\u{1B}[J"
    private static let save = "\u{1B}7"
    private static let restore = "\u{1B}8"

    init(prompt: String, columns: Int) {
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
        cursorColumn = 0
        return "\r" + Self.eraseBelow
    }

    /// The terminal has another width, and may have wrapped what was drawn.
    mutating func resize(to columns: Int, _ editor: LineEditor) -> String {
        let rowsAbove = cursorColumn / max(1, columns)
        self.columns = max(1, columns)
        let up = rowsAbove > 0 ? "\u{1B}[\(rowsAbove)A" : ""
        return up + draw(editor)
    }

    private mutating func content(_ editor: LineEditor) -> String {
        let room = max(1, columns - 1)
        var shownPrompt: [Character] = []
        var promptWidth = 0
        for character in prompt {
            let width = DisplayWidth.atMost(character)
            // At least half of the row is for typing.
            guard promptWidth + width <= room / 2 else { break }
            shownPrompt.append(character)
            promptWidth += width
        }
        let window = Self.window(editor.text, cursor: editor.cursor, room: room - promptWidth)
        let before =
            (window.range.lowerBound > 0 ? "<" : "") + String(editor.text[window.range.lowerBound..<editor.cursor])
        let after =
            String(editor.text[editor.cursor..<window.range.upperBound])
            + (window.range.upperBound < editor.text.count ? ">" : "")
        cursorColumn = DisplayWidth.of(shownPrompt) + DisplayWidth.of(before)
        return String(shownPrompt) + before + (after.isEmpty ? "" : Self.save + after + Self.restore)
    }

    /// The part of a line that is shown: all of it if it fits, or else what is around the cursor, with a column at each
    /// end for a mark.
    static func window(_ text: [Character], cursor: Int, room: Int) -> (range: Range<Int>, width: Int) {
        let widths = text.map(DisplayWidth.atMost)
        let whole = widths.reduce(0, +)
        if whole <= room { return (0..<text.count, whole) }
        let inside = max(0, room - 2)
        var start = cursor
        var end = cursor
        var width = 0
        // Two thirds in front of the cursor, the rest behind it, and then whatever still fits in front.
        while start > 0, width + widths[start - 1] <= inside * 2 / 3 {
            start -= 1
            width += widths[start]
        }
        while end < text.count, width + widths[end] <= inside {
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
