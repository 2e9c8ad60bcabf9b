/// Finds web addresses that may become links. The target of a link is exactly the visible text, and both are printable ASCII.
enum WebAddress {
    /// Maximum length of a link, in characters. Terminals ignore links that are longer than about 2,080 bytes.
    private static let longest = 2_000

    private static let schemes = ["http://", "https://"].map(Array.init)
    private static let legalMarks = Set("-._~:/?#[]@!$&'()*+,;=%")
    /// Marks that end a sentence rather than an address.
    private static let finalMarks = Set(".,:;!?'*")

    /// Returns a text as pieces: links, and the text between them.
    static func pieces(of text: ArraySlice<Character>) -> [TextLine.Piece] {
        var pieces: [TextLine.Piece] = []
        var rest = text
        var position = text.startIndex
        while position < text.endIndex {
            guard let host = hostStart(in: text, at: position) else {
                position += 1
                continue
            }
            let end = text[host...].firstIndex { !isLegal($0) } ?? text.endIndex
            let address = trimmed(text[position..<min(end, position + longest + 1)])
            // Half an address would lead elsewhere.
            let isCut = address.count > longest || end < text.endIndex && isPartOfWord(text[end])
            if !isCut, hasPlainHost(address[host...]) {
                if rest.startIndex < position { pieces.append(.init(String(rest[..<position]), .plain)) }
                pieces.append(.init(String(address), .link(target: String(address))))
                rest = text[address.endIndex...]
            }
            // A refused address is not read again, so the time is linear.
            position = end
        }
        if !rest.isEmpty { pieces.append(.init(String(rest), .plain)) }
        return pieces
    }

    /// Returns the index after a scheme that begins at `position`; `nil` if there is none.
    private static func hostStart(in text: ArraySlice<Character>, at position: Int) -> Int? {
        guard text[position] == "h" || text[position] == "H" else { return nil }
        if position > text.startIndex, isLetterOrDigit(text[position - 1]) { return nil }
        for scheme in schemes {
            let found = text[position...].prefix(scheme.count)
            if found.count == scheme.count, zip(found, scheme).allSatisfy({ $0 == $1 || $0.lowercased() == String($1) })
            {
                return position + scheme.count
            }
        }
        return nil
    }

    /// Removes what belongs to the sentence: final marks, and closing brackets that were not opened in the address.
    private static func trimmed(_ address: ArraySlice<Character>) -> ArraySlice<Character> {
        var address = address
        var round = address.count { $0 == ")" } - address.count { $0 == "(" }
        var square = address.count { $0 == "]" } - address.count { $0 == "[" }
        while let last = address.last {
            if last == ")", round > 0 {
                round -= 1
            } else if last == "]", square > 0 {
                square -= 1
            } else if !finalMarks.contains(last) {
                break
            }
            address = address.dropLast()
        }
        return address
    }

    /// Whether an address begins with a plain host: ASCII letters, digits, dots and hyphens, or an IPv6 address in brackets.
    /// Only a port may follow. A name and password are not allowed before the host, because they could pass for the host.
    ///
    /// - Parameter address: the address after its scheme.
    private static func hasPlainHost(_ address: ArraySlice<Character>) -> Bool {
        let place = address.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let name: ArraySlice<Character>
        if place.first == "[" {
            guard let end = place.firstIndex(of: "]") else { return false }
            name = place[...end]
            guard name.dropFirst().dropLast().allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                return false
            }
        } else {
            name = place.prefix { $0 != ":" }
            guard let first = name.first, isLetterOrDigit(first),
                name.allSatisfy({ isLetterOrDigit($0) || $0 == "." || $0 == "-" })
            else { return false }
        }
        let port = place[name.endIndex...]
        return port.isEmpty || port.first == ":" && port.dropFirst().allSatisfy { isLetterOrDigit($0) && $0.isNumber }
    }

    private static func isLetterOrDigit(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber)
    }

    private static func isLegal(_ character: Character) -> Bool {
        isLetterOrDigit(character) || legalMarks.contains(character)
    }

    /// Whether a character that is not allowed in an address may still be a part of what somebody typed as an address, such as
    /// a letter with an accent.
    private static func isPartOfWord(_ character: Character) -> Bool {
        !character.isASCII && (character.isLetter || character.isNumber || character.unicodeScalars.count > 1)
    }
}
