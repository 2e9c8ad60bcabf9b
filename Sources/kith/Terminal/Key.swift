/// A key or paste that the line editor handles.
enum Key: Hashable, Sendable {
    /// A typed character, or several characters that arrived together.
    case text(String)
    /// Pasted text, with its line breaks.
    case paste(String)
    case enter
    /// The key alt-Enter.
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
    /// The key ctrl-U.
    case deleteToStart
    /// The key ctrl-K.
    case deleteToEnd
    /// The key ctrl-W.
    case deleteWord
    /// The key ctrl-L.
    case redraw
    /// The key ctrl-C.
    case interrupt
    /// The key ctrl-D.
    case endOfInput
    /// The key ctrl-Z.
    case suspend
}
