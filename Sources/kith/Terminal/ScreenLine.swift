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

    /// The head of every row of a text after the first row. This head differs from the head of a message, so nobody can make one
    /// long message look like messages of several people.
    static let continuation = "  │ "

    /// Minimum number of columns for text after a head. If fewer columns are left, the text begins in the next row.
    private static let leastRoom = 8

    let kind: Kind
    /// The entry's number, the message's time, the author, and whether the author's key is verified.
    private let head: [Mark]
    private let body: String
    /// The marks after the text: whether it is edited or pinned, when it disappears, and the delivery state of the user's own
    /// text.
    private let delivery: Mark?

    /// Creates a line of the program's text.
    init(_ kind: Kind, _ sentence: Sentence) {
        self.init(kind, head: [], sentence.description)
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
    init(_ kind: Kind, head: [Mark], _ text: String, delivery: Mark? = nil) {
        self.kind = kind
        self.head = head.map { Mark(SafeText.oneLine($0.text), $0.colour) }
        body = SafeText.oneLine(text)
        self.delivery = delivery
    }

    /// The whole line, safe for a terminal.
    var text: String { head.map(\.text).joined() + body + (delivery.map { " \($0.text)" } ?? "") }

    /// The whole line with its colours, for output without an input line.
    func painted(colours: Bool) -> String {
        guard let colour else { return paintedHead(colours) + body + paintedDelivery(colours) }
        return colour.paint(text, if: colours)
    }

    /// The line in rows that fit into a number of columns.
    func rows(columns: Int, colours: Bool) -> [String] {
        guard let colour else { return said(columns: columns, colours: colours) }
        return TextLayout.wrap(text, width: columns - 1).map { colour.paint($0, if: colours) }
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

    private func paintedHead(_ colours: Bool) -> String { head.map { $0.colour.paint($0.text, if: colours) }.joined() }

    private func paintedDelivery(_ colours: Bool) -> String {
        delivery.map { " " + $0.colour.paint($0.text, if: colours) } ?? ""
    }

    /// Breaks the text into rows. The first row begins with the head, and every further row with ``continuation``. If the
    /// terminal broke the text instead, a row would begin with the sender's text, which could look like the beginning of another
    /// message.
    private func said(columns: Int, colours: Bool) -> [String] {
        let mark = paintedDelivery(colours)
        // An invite or a safety number stays in one piece, because people copy it as a whole.
        guard !head.isEmpty else { return [body + mark] }
        let headWidth = DisplayWidth.atMost(head.map(\.text).joined())
        let further = DisplayWidth.atMost(Self.continuation)
        let width = columns - 1
        var rows: [String]
        if width - headWidth >= Self.leastRoom {
            rows = TextLayout.fold(body, first: width - headWidth, further: width - further)
        } else {
            rows = [""] + TextLayout.fold(body, first: width - further, further: width - further)
        }
        rows[0] = paintedHead(colours) + rows[0]
        for index in rows.indices.dropFirst() {
            rows[index] = Colour.dim.paint(Self.continuation, if: colours) + rows[index]
        }
        rows[rows.count - 1] += mark
        return rows
    }
}
