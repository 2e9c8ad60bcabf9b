import KithClient

/// Shows the events of a classic conversation, in words or as JSON.
struct ClassicScreen: Sendable {
    let screen: ChatScreen
    let wording: ClassicWording
    /// The renderer for programs; `nil` if a person reads the output.
    let json: ClassicJSON?

    func open(reading lines: LineReader) {
        screen.open(
            reading: lines,
            style: json == nil ? ChatTerminal.Style(prompt: "\(wording.me) : ", takesEmptyLines: true) : nil)
        if json == nil { screen.show(wording.opening) }
    }

    /// Shows a sentence to the person at the terminal.
    func say(_ sentence: Sentence) { screen.show([ScreenLine(.notice, "[\(sentence)]")]) }

    func show(_ event: ClassicEvent) {
        if let json {
            if let event = json.event(event) { screen.write(JSONLine.text(event)) }
        } else {
            screen.show(wording.lines(event))
        }
    }
}
