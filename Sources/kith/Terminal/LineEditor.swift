/// One line of text and a cursor, as a person edits it. Pure: keys in, what to do out.
///
/// Text is edited by what a person takes for a character, so one backspace takes an emoji or a letter with all its accents.
/// It stays as it came, tabs and invisible characters included: ``InputLine`` makes it harmless where it is drawn.
struct LineEditor {
    /// What a key asks for beyond a changed line.
    enum Action: Equatable {
        /// This line is finished; the next one begins.
        case submit(String)
        /// Ctrl-C.
        case interrupt
        /// Ctrl-D with nothing typed.
        case endOfInput
        /// Ctrl-Z.
        case suspend
        /// What was before what is shown.
        case pageUp
        /// Draw everything again.
        case redraw
        /// The line is too long for this: something was left out.
        case refused
    }

    /// The longest line: what a message may hold, in bytes.
    static let longest = 64 << 10
    /// Lines remembered.
    static let remembered = 500

    /// Whether the text may have line breaks in it: a paste of several lines is one text then, and Enter alone submits.
    let keepsLineBreaks: Bool
    /// Whether Enter submits an empty line, too: as an answer that decides nothing.
    let takesEmptyLines: Bool

    private(set) var text: [Character] = []
    /// Before the character with this index.
    private(set) var cursor = 0
    private var history: [[Character]] = []
    /// Where in the history the line is from; `history.count` for the new one.
    private var place = 0
    /// What was typed before going back in the history.
    private var draft: [Character] = []

    init(keepsLineBreaks: Bool = false, takesEmptyLines: Bool = false) {
        self.keepsLineBreaks = keepsLineBreaks
        self.takesEmptyLines = takesEmptyLines
    }

    /// The line as text.
    var line: String { String(text) }

    /// Handles a key; returns what it asks for, in order.
    mutating func handle(_ key: Key) -> [Action] {
        switch key {
        case .text(let new): return insert(new) ? [] : [.refused]
        case .tab: return insert(" ") ? [] : [.refused]
        case .paste(let content): return paste(content)
        case .enter: return submit()
        case .lineBreak: return keepsLineBreaks ? insert("\n") ? [] : [.refused] : submit()
        case .pageUp: return [.pageUp]
        case .backspace where cursor > 0: delete(cursor - 1..<cursor)
        case .delete where cursor < text.count: delete(cursor..<cursor + 1)
        case .left: cursor = max(0, cursor - 1)
        case .right: cursor = min(text.count, cursor + 1)
        case .wordLeft: cursor = startOfWord()
        case .wordRight: cursor = endOfWord()
        case .home: cursor = 0
        case .end: cursor = text.count
        case .up: recall(place - 1)
        case .down: recall(place + 1)
        case .deleteToStart: delete(0..<cursor)
        case .deleteToEnd: delete(cursor..<text.count)
        case .deleteWord: delete(startOfWord()..<cursor)
        case .redraw: return [.redraw]
        // As in a shell: away with the line, and only then with the program.
        case .interrupt where text.isEmpty: return [.interrupt]
        case .interrupt: begin()
        case .endOfInput where text.isEmpty: return [.endOfInput]
        case .endOfInput where cursor < text.count: delete(cursor..<cursor + 1)
        case .suspend: return [.suspend]
        case .backspace, .delete, .endOfInput: break
        }
        return []
    }

    private mutating func insert(_ new: String) -> Bool {
        // What is typed may join what is there, an accent its letter for instance, so characters are counted anew.
        let before = String(text[..<cursor]) + Self.withoutControls(new)
        let whole = before + String(text[cursor...])
        guard whole.utf8.count <= Self.longest else { return false }
        let after = text.count - cursor
        text = Array(whole)
        // A cursor inside of what has joined goes behind it.
        cursor = min(text.count, max(before.count, text.count - after))
        return true
    }

    /// Control characters are no text, but for those that lay it out.
    private static func withoutControls(_ new: String) -> String {
        String(
            String.UnicodeScalarView(
                new.unicodeScalars.filter { scalar in
                    scalar == "\t" || scalar == "\n" || scalar.properties.generalCategory != .control
                }))
    }

    private mutating func delete(_ range: Range<Int>) {
        text.removeSubrange(range)
        cursor = range.lowerBound
        // What was apart may join now.
        text = Array(String(text))
        cursor = min(cursor, text.count)
    }

    /// Each whole line of a paste is submitted and the last piece stays to be edited, or all of it stays.
    private mutating func paste(_ content: String) -> [Action] {
        let unified = content.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        if keepsLineBreaks {
            // What ends a line in what was copied is no line of the text.
            let end = unified.lastIndex { $0 != "\n" }
            return insert(end.map { String(unified[...$0]) } ?? "") ? [] : [.refused]
        }
        let lines = unified.split(separator: "\n", omittingEmptySubsequences: false)
        var actions: [Action] = []
        for (index, line) in lines.enumerated() {
            if !insert(String(line)) { actions.append(.refused) }
            if index < lines.count - 1 { actions += submit() }
        }
        return actions
    }

    private mutating func submit() -> [Action] {
        guard !text.isEmpty else { return takesEmptyLines ? [.submit("")] : [] }
        if history.last != text { history.append(text) }
        if history.count > Self.remembered { history.removeFirst() }
        let line = line
        begin()
        return [.submit(line)]
    }

    /// A new line.
    private mutating func begin() {
        text = []
        cursor = 0
        place = history.count
        draft = []
    }

    private mutating func recall(_ wanted: Int) {
        guard wanted != place, (0...history.count).contains(wanted) else { return }
        if place == history.count { draft = text }
        place = wanted
        text = wanted == history.count ? draft : history[wanted]
        cursor = text.count
    }

    private func startOfWord() -> Int {
        var index = cursor
        while index > 0, text[index - 1].isWhitespace { index -= 1 }
        while index > 0, !text[index - 1].isWhitespace { index -= 1 }
        return index
    }

    private func endOfWord() -> Int {
        var index = cursor
        while index < text.count, text[index].isWhitespace { index += 1 }
        while index < text.count, !text[index].isWhitespace { index += 1 }
        return index
    }
}
