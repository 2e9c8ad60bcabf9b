/// Fits text into columns.
enum TextLayout {
    /// Breaks `text` into lines of at most `width` columns, between words where possible. Later lines have the indent of the
    /// first line.
    static func wrap(_ text: String, width: Int) -> [String] {
        let width = max(2, width)
        if DisplayWidth.of(text) <= width { return [text] }
        let indent = min(text.prefix { $0 == " " }.count, width / 2)
        var lines: [String] = []
        var line = String(repeating: " ", count: indent)
        var used = indent
        var isEmpty = true
        func finish() {
            lines.append(line)
            line = String(repeating: " ", count: indent)
            used = indent
            isEmpty = true
        }
        for word in text.split(separator: " ") {
            let wordWidth = DisplayWidth.of(word)
            if !isEmpty, used + 1 + wordWidth > width { finish() }
            if !isEmpty {
                line += " "
                used += 1
            }
            isEmpty = false
            guard used + wordWidth > width else {
                line += word
                used += wordWidth
                continue
            }
            // A word that is longer than a line is broken at its hyphens, or else anywhere.
            for part in parts(of: word, width: width - indent) {
                let columns = DisplayWidth.of(part)
                if used + columns > width, used > indent {
                    finish()
                    isEmpty = false
                }
                line += part
                used += columns
            }
        }
        if !isEmpty || lines.isEmpty { lines.append(line) }
        return lines
    }

    /// Breaks `text` into rows. The first row has at most `first` columns. Each further row has at most `further` columns. No
    /// character is lost, so the rows together are the text.
    ///
    /// - Parameter atSpaces: whether a row ends after a space if possible. If `false`, a row ends where it is full.
    static func fold(_ text: String, first: Int, further: Int, atSpaces: Bool = true) -> [String] {
        // The widest character needs two columns.
        var room = max(2, first)
        var rows: [String] = []
        var row: [Character] = []
        var used = 0
        for character in text {
            let columns = DisplayWidth.atMost(character)
            if used + columns > room, !row.isEmpty {
                let end = atSpaces ? row.lastIndex(of: " ").map { $0 + 1 } ?? row.count : row.count
                rows.append(String(row[..<end]))
                row.removeFirst(end)
                used = row.reduce(0) { $0 + DisplayWidth.atMost($1) }
                room = max(2, further)
            }
            row.append(character)
            used += columns
        }
        rows.append(String(row))
        return rows
    }

    private static func parts(of word: Substring, width: Int) -> [String] {
        var parts: [String] = [""]
        for character in word {
            parts[parts.count - 1].append(character)
            if character == "-" { parts.append("") }
        }
        return parts.flatMap { DisplayWidth.of($0) <= width ? [$0] : $0.map(String.init) }
    }

    /// Fits `text` into exactly `width` columns. A short text is padded with spaces. A long text is cut.
    static func pad(_ text: String, to width: Int) -> String {
        var result = ""
        var used = 0
        for character in text {
            let columns = DisplayWidth.of(character)
            guard used + columns <= width else { break }
            result.append(character)
            used += columns
        }
        return result + String(repeating: " ", count: width - used)
    }
}
