/// A line for a person to read.
struct ScreenLine: Sendable, Equatable {
    /// What a line is, which decides where it goes and how it looks.
    enum Kind: Sendable, Equatable {
        /// What somebody else said.
        case message
        /// What the user said.
        case own
        /// Something is wrong.
        case failure
        /// About the conversation.
        case notice
        /// One step of many, for who asked for it.
        case explanation
    }

    /// What stands behind a message: who has checked it, or how far it has come.
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

    let kind: Kind
    /// Who says it. It looks different from what is said, so that a long text can't pass for several people's.
    let head: String
    private let body: String
    let mark: Mark?

    init(_ kind: Kind, _ text: String, head: String = "", mark: Mark? = nil) {
        self.kind = kind
        self.head = SafeText.oneLine(head)
        body = SafeText.oneLine(text)
        self.mark = mark
    }

    /// The whole line, safe for a terminal.
    var text: String { head + body + (mark.map { " \($0.text)" } ?? "") }

    /// The line as rows for a terminal with so many columns.
    func rows(columns: Int, colours: Bool) -> [String] {
        let colour: Colour =
            switch kind {
            case .message, .own: .plain
            case .failure: .red
            case .notice: .cyan
            case .explanation: .dim
            }
        switch kind {
        // What people say is theirs to break; the terminal wraps it, so that it can be copied.
        case .message, .own:
            let mark = mark.map { " " + $0.colour.paint($0.text, if: colours) } ?? ""
            let headColour = kind == .message ? Colour.bold : .plain
            return [headColour.paint(head, if: colours && !head.isEmpty) + body + mark]
        case .failure, .notice, .explanation:
            return TextLayout.wrap(text, width: columns - 1).map { colour.paint($0, if: colours) }
        }
    }
}
