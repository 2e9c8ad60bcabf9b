/// What a person does at a keyboard, as far as the line editor is concerned.
enum Key: Hashable, Sendable {
    /// Text to insert: a typed character, or what came in one piece.
    case text(String)
    /// Text that was pasted, line breaks and all.
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
