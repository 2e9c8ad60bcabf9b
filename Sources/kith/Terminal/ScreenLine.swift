import KithClient

/// A line of output for a person.
///
/// Text of the program is a ``Sentence``. A person's text comes after a head, which the program writes. The author's name and
/// trust are in the head, never after the sender's text.
struct ScreenLine: Sendable, Equatable {
    /// The kind of a line. The line's stream and colour depend on the kind.
    enum Kind: Sendable, Equatable {
        /// Another person's text.
        case message
        /// The user's text.
        case own
        /// An error or warning.
        case failure
        /// A notice about the conversation.
        case notice
        /// A detail for users who have requested an explanation.
        case explanation
    }

    /// A part of a line with its colour.
    struct Mark: Sendable, Equatable {
        let text: String
        let colour: Colour

        init(_ text: String, _ colour: Colour) {
            self.text = text
            self.colour = colour
        }

        static let verified = Mark("(verified)", .dim)
        static let unverified = Mark("(unverified)", .yellow)
    }

    /// The program's words after a text.
    struct End: Sendable, Equatable {
        /// The marks that stay, such as `(edited)`.
        var note = ""
        /// The delivery state of the user's own message.
        var delivery: Mark?
        /// The seq of the user's own message whose ``delivery`` changes while the line is on the screen.
        var seq: UInt64?

        /// The longest delivery mark of a group in which members send receipts.
        private static let longestDelivery = "✓✓ 9"

        var text: String { [note, delivery?.text ?? ""].filter { !$0.isEmpty }.joined(separator: " ") }

        /// The number of columns that are kept free for the end, so that a line takes as many rows after a change as before.
        fileprivate var room: Int {
            let now = DisplayWidth.atMost(text)
            guard seq != nil else { return now }
            let later = End(note: note, delivery: Mark(Self.longestDelivery, .plain))
            return max(now, DisplayWidth.atMost(later.text))
        }

        fileprivate func painted(_ features: TerminalFeatures) -> String {
            let delivery = delivery.map { $0.colour.paint($0.text, if: features.colours) } ?? ""
            return [Colour.dim.paint(note, if: features.colours && !note.isEmpty), delivery].filter { !$0.isEmpty }
                .joined(separator: " ")
        }
    }

    /// The head of every row of a text after the first row. This head differs from the head of a message, so nobody can make one
    /// long message look like messages of several people.
    static let continuation = "  │ "
    /// The head of a row that continues a line of code. It differs from ``continuation``, because a line break may have a meaning
    /// in code.
    static let codeContinuation = "  ┆ "

    /// Minimum number of columns for text after a head. If fewer columns are left, the text begins in the next row.
    private static let leastRoom = 8

    let kind: Kind
    /// The entry's number, the message's time, the author, and whether the author's key is verified.
    private let head: [Mark]
    private let body: TextLine
    var end: End

    /// Creates a line of the program's text.
    init(_ kind: Kind, _ sentence: Sentence, end: End = End()) {
        self.init(kind, head: [], TextLine(plain: sentence.description), end: end)
    }

    /// Returns the head of the first line of a text.
    ///
    /// - Parameters:
    ///   - number: the entry's number and the message's time, with space after them.
    ///   - author: the author's name in the form in which it is shown.
    static func head(number: String = "", author: String, isOwn: Bool = false, trust: Mark? = nil) -> [Mark] {
        var head = number.isEmpty ? [] : [Mark(number, .dim)]
        head.append(Mark(author, isOwn ? .plain : .bold))
        if let trust { head += [Mark(" ", .plain), trust] }
        return head + [Mark(" : ", .plain)]
    }

    /// Creates a line of a person's text, after a head.
    init(_ kind: Kind, head: [Mark], _ text: TextLine, end: End = End()) {
        self.kind = kind
        self.head = head.map { Mark(SafeText.oneLine($0.text), $0.colour) }
        body = text
        self.end = end
    }

    /// The whole line, safe for a terminal.
    var text: String {
        let end = end.text
        return head.map(\.text).joined() + body.text + (end.isEmpty ? "" : " \(end)")
    }

    /// The whole line with its colours and links, for output without an input line.
    func painted(_ features: TerminalFeatures) -> String {
        if let colour { return colour.paint(text, if: features.colours) }
        let end = end.painted(features)
        return paintedHead(features) + body.painted(features) + (end.isEmpty ? "" : " \(end)")
    }

    /// The line in rows that fit into a number of columns.
    func rows(columns: Int, _ features: TerminalFeatures) -> [String] {
        guard let colour else { return said(columns: columns, features) }
        return TextLayout.wrap(text, width: columns - 1).map { colour.paint($0, if: features.colours) }
    }

    /// The colour of the whole line; `nil` if its parts have their own colours.
    private var colour: Colour? {
        switch kind {
        case .message, .own: nil
        case .failure: .red
        case .notice: .cyan
        case .explanation: .dim
        }
    }

    private func paintedHead(_ features: TerminalFeatures) -> String {
        head.map { $0.colour.paint($0.text, if: features.colours) }.joined()
    }

    /// Breaks the text into rows. The first row begins with the head, and every further row with ``continuation`` or
    /// ``codeContinuation``. If the terminal broke the text instead, a row would begin with the sender's text, which could look
    /// like the beginning of another message.
    private func said(columns: Int, _ features: TerminalFeatures) -> [String] {
        // An invite or a safety number stays in one piece, because people copy it as a whole.
        guard !head.isEmpty else { return [painted(features)] }
        let headWidth = DisplayWidth.atMost(head.map(\.text).joined())
        let further = DisplayWidth.atMost(Self.continuation)
        let width = columns - 1
        let startsBesideHead = width - headWidth >= Self.leastRoom
        let texts = body.rows(first: width - (startsBesideHead ? headWidth : further), further: width - further)
        let continuation = Colour.dim.paint(Self.continuation, if: features.colours)
        let inside = body.isCode ? Colour.dim.paint(Self.codeContinuation, if: features.colours) : continuation
        var rows = texts.enumerated().map { ($0 == 0 ? "" : inside) + $1.painted(features) }
        if startsBesideHead {
            rows[0] = paintedHead(features) + rows[0]
        } else {
            rows[0] = continuation + rows[0]
            rows.insert(paintedHead(features), at: 0)
        }
        let end = end.painted(features)
        guard !end.isEmpty else { return rows }
        let used = DisplayWidth.atMost(texts.last?.text ?? "") + (rows.count == 1 ? headWidth : further)
        if used + 1 + self.end.room <= width {
            rows[rows.count - 1] += " " + end
        } else {
            rows.append(continuation + end)
        }
        return rows
    }
}
