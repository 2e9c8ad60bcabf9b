/// Edits one line of text with a cursor. The editor handles keys and returns actions. The type performs no input or output.
///
/// The editor's unit is the character as a person sees it. One backspace deletes an emoji, or a letter with all its accents. The
/// text is stored unchanged, including tabs and invisible characters. ``InputLine`` makes the text safe before drawing it.
struct LineEditor {
    /// An action that the caller has to perform.
    enum Action: Equatable {
        /// Use the finished line. The editor has begun a new line.
        case submit(String)
        /// Handle ctrl-C on an empty line.
        case interrupt
        /// Handle ctrl-D on an empty line.
        case endOfInput
        /// Handle ctrl-Z.
        case suspend
        /// Show earlier messages.
        case pageUp
        /// Draw everything again.
        case redraw
        /// Report that the text was too long and that a part of the text was left out.
        case refused
    }

    /// Maximum length of a line, in bytes. A line that is too long for a message is sent as a file. Each key takes time that grows
    /// with the length, so a paste of many MiB would block the terminal.
    static let longest = 1 << 20
    /// Maximum number of lines in the history.
    static let remembered = 500

    /// Whether the text may contain line breaks. If `true`, a paste of several lines is one text, and only Enter submits the
    /// text.
    let keepsLineBreaks: Bool
    /// Whether Enter submits an empty line. For example, the user may submit an empty line to leave a question open.
    let takesEmptyLines: Bool
    /// Takes the text before the cursor, and returns the text that the Tab key inserts at the cursor; `nil` to insert a space.
    let completion: @Sendable (String) -> String?

    private(set) var text: [Character] = []
    /// Index of the character after the cursor.
    private(set) var cursor = 0
    private var history: [[Character]] = []
    /// Index of the shown line in the history. For a new line, the index is `history.count`.
    private var place = 0
    /// The text that the user had typed before going back in the history.
    private var draft: [Character] = []

    init(
        keepsLineBreaks: Bool = false, takesEmptyLines: Bool = false,
        completion: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.completion = completion
        self.keepsLineBreaks = keepsLineBreaks
        self.takesEmptyLines = takesEmptyLines
    }

    /// The current line as text.
    var line: String { String(text) }

    /// Handles a key. Returns the resulting actions in order.
    mutating func handle(_ key: Key) -> [Action] {
        switch key {
        case .text(let new): return insert(new) ? [] : [.refused]
        case .tab: return insert(completion(String(text[..<cursor])) ?? " ") ? [] : [.refused]
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
        // As in a shell, ctrl-C first clears the line, and ends the program only on an empty one.
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
        // New text may combine with existing text, such as an accent with its letter. Therefore the characters are counted again.
        let before = String(text[..<cursor]) + Self.withoutControls(new)
        let whole = before + String(text[cursor...])
        guard whole.utf8.count <= Self.longest else { return false }
        let after = text.count - cursor
        text = Array(whole)
        // If the cursor is inside a combined character, it moves behind that character.
        cursor = min(text.count, max(before.count, text.count - after))
        return true
    }

    /// Removes control characters other than tabs and line breaks.
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
        // Characters on both sides of the deleted text may combine now.
        text = Array(String(text))
        cursor = min(cursor, text.count)
    }

    /// Inserts a paste. If the editor does not keep line breaks, each complete line is submitted, and the last part stays in
    /// the editor.
    private mutating func paste(_ content: String) -> [Action] {
        let unified = content.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        if keepsLineBreaks {
            // Line breaks at the end of a paste are not part of the text.
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

    /// Begins an empty line.
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
