/// A key or paste, as far as the line editor handles it.
enum Key: Hashable, Sendable {
    /// A typed character, or several that arrived at once.
    case text(String)
    /// Pasted text, with its line breaks.
    case paste(String)
    case enter
    /// Alt-Enter.
    case lineBreak
    case backspace
    case delete
    case left
    case right
    case wordLeft
    case wordRight
    case home
    case end
    case up
    case down
    case pageUp
    case tab
    /// Ctrl-U.
    case deleteToStart
    /// Ctrl-K.
    case deleteToEnd
    /// Ctrl-W.
    case deleteWord
    /// Ctrl-L.
    case redraw
    /// Ctrl-C.
    case interrupt
    /// Ctrl-D.
    case endOfInput
    /// Ctrl-Z.
    case suspend
}
