/// A line of a person's text, safe for a terminal, in pieces that are drawn in different ways.
struct TextLine: Sendable, Equatable {
    /// A part of a line.
    struct Piece: Sendable, Equatable {
        /// The way in which a piece is drawn.
        enum Style: Sendable, Equatable {
            case plain
            case code
            /// The backticks around code.
            case fence
            /// A web address. The target is the whole address, even if the piece is only a part of it.
            case link(target: String)
        }

        let text: String
        let style: Style

        init(_ text: String, _ style: Style) {
            self.text = text
            self.style = style
        }

        /// The piece with escape sequences for its style. The characters are the same for every terminal.
        func painted(_ features: TerminalFeatures) -> String {
            switch style {
            case .plain: return text
            case .code: return Colour.magenta.paint(text, if: features.colours)
            case .fence: return Colour.dim.paint(text, if: features.colours)
            case .link(let target):
                guard features.links else { return text }
                // Because of the id, a terminal treats the parts of an address in several rows as one link.
                return "\u{1B}]8;id=kith;\(target)\u{1B}\\\(text)\u{1B}]8;;\u{1B}\\"
            }
        }
    }

    let pieces: [Piece]
    /// Whether the line belongs to a block of code, whose spaces and line breaks have a meaning.
    let isCode: Bool

    /// - Parameter pieces: pieces of safe text.
    init(_ pieces: [Piece], isCode: Bool = false) {
        self.pieces = pieces
        self.isCode = isCode
    }

    /// Creates a line of plain text from any text.
    init(plain text: String) { self.init([Piece(SafeText.oneLine(text), .plain)]) }

    var text: String { pieces.map(\.text).joined() }

    func painted(_ features: TerminalFeatures) -> String { pieces.map { $0.painted(features) }.joined() }

    /// Breaks the line into rows of at most `first` and `further` columns, without losing a character. Rows of text end after a
    /// space if possible. Rows of code are filled.
    func rows(first: Int, further: Int) -> [TextLine] {
        var rest = pieces[...]
        var remaining = rest.first?.text[...] ?? ""
        return TextLayout.fold(text, first: first, further: further, atSpaces: !isCode).map { row in
            var missing = row.count
            var taken: [Piece] = []
            while missing > 0, let piece = rest.first {
                let part = remaining.prefix(missing)
                taken.append(Piece(String(part), piece.style))
                missing -= part.count
                remaining = remaining[part.endIndex...]
                guard remaining.isEmpty else { continue }
                rest = rest.dropFirst()
                remaining = rest.first?.text[...] ?? ""
            }
            return TextLine(taken, isCode: isCode)
        }
    }
}
