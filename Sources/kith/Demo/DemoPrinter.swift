/// Prints a demo's headings, paragraphs and tables, fitted to the terminal.
struct DemoPrinter {
    let width: Int
    let colours: Bool

    init() {
        colours = TerminalMode.wantsColours
        // The width is limited, because long lines are hard to read. Without a terminal, the width is fixed.
        width = StandardStream.output.isTerminal ? min(TerminalMode.columns - 1, 140) : 110
    }

    func heading(_ text: String) {
        line()
        line(Colour.bold.paint(text, if: colours))
        line()
    }

    func paragraph(_ text: String, _ colour: Colour = .plain) {
        for part in TextLayout.wrap(SafeText.oneLine(text), width: width) { line(colour.paint(part, if: colours)) }
    }

    /// Prints a line from a person's screen.
    func screen(of name: String, _ text: String, _ colour: Colour = .green) {
        for part in TextLayout.wrap("    " + SafeText.oneLine("\(name)'s screen │ \(text)"), width: width) {
            line(colour.paint(part, if: colours))
        }
    }

    /// Prints a command, a message, or a line from a person's screen.
    ///
    /// - Parameter sign: `$` for a command, `»` for a message, `│` for the screen.
    func person(_ name: String, _ sign: String, _ text: String, _ colour: Colour) {
        let indent = String(repeating: " ", count: 9)
        for (index, part) in TextLayout.wrap(SafeText.oneLine(text), width: width - 11).enumerated() {
            let label =
                index == 0
                ? colour.paint(TextLayout.pad("  \(name)", to: 8), if: colours) : indent.dropLast().description
            let painted = sign == "»" ? Colour.bold.paint(part, if: colours) : part
            line(
                "\(label) \(index == 0 ? sign : " ") \(sign == "$" ? Colour.dim.paint(painted, if: colours) : painted)")
        }
    }

    func table(_ left: (title: String, cells: [SideBySide.Cell]), _ right: (title: String, cells: [SideBySide.Cell])) {
        let table = SideBySide(width: width, leftTitle: left.title, rightTitle: right.title)
        for text in table.lines(left: left.cells, right: right.cells) { line(text) }
    }

    /// Prints lines of another program, made safe for the terminal.
    func quote(_ lines: [String], atMost limit: Int) {
        for text in lines.prefix(limit) {
            for part in TextLayout.wrap("  " + SafeText.oneLine(text), width: width) { line(part) }
        }
        if lines.count > limit { line("  … and \(lines.count - limit) lines more") }
    }

    func line(_ text: String = "") { StandardStream.output.write(text + "\n") }
}
