/// Parses the bytes of a terminal into keys. The bytes may arrive in pieces of any size. The type performs no input or output.
///
/// The parser knows UTF-8, the control keys, the escape sequences for cursor keys that most terminals use, and bracketed paste.
/// The parser skips an unknown sequence as a whole, so no part of the sequence becomes text.
struct KeyParser {
    /// Maximum number of stored bytes of a paste. A longer paste is returned in parts, so a huge file does not fill the memory.
    private static let longestPaste = 64 << 10
    /// Maximum length of an escape sequence, in bytes. Longer input is not a sequence.
    private static let longestSequence = 32

    private var bytes: [UInt8] = []
    /// The bytes of an unfinished bracketed paste.
    private var paste: [UInt8]?

    private static let pasteEnd = Array("\u{1B}[201~".utf8)

    /// Whether an escape character may still be the beginning of a sequence. The result is `false` for an incomplete character
    /// and for an incomplete end of a paste, because the remaining bytes arrive even over a slow line.
    var isWaiting: Bool { paste == nil && bytes.first == 0x1b }

    /// Parses the next bytes. Returns the keys that are now complete.
    mutating func feed(_ input: some Sequence<UInt8>) -> [Key] {
        bytes.append(contentsOf: input)
        var keys: [Key] = []
        var position = 0
        while position < bytes.count {
            guard let (key, length) = paste == nil ? parse(bytes[position...]) : parsePaste(bytes[position...]) else {
                break
            }
            if let key { append(key, to: &keys) }
            position += length
        }
        bytes.removeFirst(position)
        return keys
    }

    /// Drops an unfinished escape sequence, or a single escape character. The escape key has no function here.
    mutating func flush() {
        if isWaiting { bytes.removeAll() }
    }

    /// Appends a key. Adjacent texts are joined, so a combining character stays with its letter.
    private func append(_ key: Key, to keys: inout [Key]) {
        if case .text(let new) = key, case .text(let old) = keys.last {
            keys[keys.count - 1] = .text(old + new)
        } else {
            keys.append(key)
        }
    }

    /// Parses one key. Returns the key and its length in bytes; `nil` if more bytes are needed.
    private mutating func parse(_ input: ArraySlice<UInt8>) -> (Key?, Int)? {
        guard let first = input.first else { return nil }
        switch first {
        case 0x1b: return parseEscape(input)
        case 0x00..<0x20, 0x7f: return (Self.control[first], 1)
        default: return parseText(input, first)
        }
    }

    private static let control: [UInt8: Key] = [
        0x01: .home, 0x02: .left, 0x03: .interrupt, 0x04: .endOfInput, 0x05: .end, 0x06: .right, 0x08: .backspace,
        0x09: .tab, 0x0a: .enter, 0x0b: .deleteToEnd, 0x0c: .redraw, 0x0d: .enter, 0x0e: .down, 0x10: .up,
        0x15: .deleteToStart, 0x17: .deleteWord, 0x1a: .suspend, 0x7f: .backspace,
    ]

    private func parseText(_ input: ArraySlice<UInt8>, _ first: UInt8) -> (Key?, Int)? {
        let length =
            switch first {
            case 0x00..<0x80: 1
            case 0xc2..<0xe0: 2
            case 0xe0..<0xf0: 3
            case 0xf0..<0xf5: 4
            default: 0
            }
        guard length > 0 else { return (nil, 1) }
        let part = input.prefix(length)
        // Of an invalid character, only the first byte is skipped, because the next byte may begin another character.
        guard part.dropFirst().allSatisfy({ $0 & 0xc0 == 0x80 }) else { return (nil, 1) }
        guard part.count == length else { return nil }
        guard let text = String(validating: part, as: UTF8.self) else { return (nil, 1) }
        // The C1 controls are not text.
        if let scalar = text.unicodeScalars.first, (0x80..<0xa0).contains(scalar.value) { return (nil, length) }
        return (.text(text), length)
    }

    private mutating func parseEscape(_ input: ArraySlice<UInt8>) -> (Key?, Int)? {
        guard input.count >= 2 else { return nil }
        switch input[input.startIndex + 1] {
        case UInt8(ascii: "["): return parseControlSequence(input)
        case UInt8(ascii: "O"):
            guard input.count >= 3 else { return nil }
            return (Self.final[input[input.startIndex + 2]], 3)
        case 0x0d, 0x0a: return (.lineBreak, 2)
        case UInt8(ascii: "b"): return (.wordLeft, 2)
        case UInt8(ascii: "f"): return (.wordRight, 2)
        case 0x7f, 0x08: return (.deleteWord, 2)
        // After this escape character, another sequence begins.
        case 0x1b: return (nil, 1)
        default: return (nil, 2)
        }
    }

    private static let final: [UInt8: Key] = [
        UInt8(ascii: "A"): .up, UInt8(ascii: "B"): .down, UInt8(ascii: "C"): .right, UInt8(ascii: "D"): .left,
        UInt8(ascii: "H"): .home, UInt8(ascii: "F"): .end, UInt8(ascii: "M"): .enter,
    ]

    private static let numbered: [Int: Key] = [1: .home, 3: .delete, 4: .end, 5: .pageUp, 7: .home, 8: .end]

    /// Parses `ESC [ parameters final` (ECMA-48 §5.4).
    private mutating func parseControlSequence(_ input: ArraySlice<UInt8>) -> (Key?, Int)? {
        let body = input.dropFirst(2)
        guard let end = body.prefix(Self.longestSequence).firstIndex(where: { !(0x20..<0x40).contains($0) }) else {
            return body.count < Self.longestSequence ? nil : (nil, 2)
        }
        let length = end + 1 - input.startIndex
        let parameters = String(decoding: body[..<end], as: UTF8.self).split(separator: ";").map { Int($0) ?? 0 }
        // Shift, alt and control add 1, 2 and 4 to a second parameter of 1.
        let isModified = parameters.count >= 2 && parameters[1] > 2
        switch input[end] {
        case UInt8(ascii: "~"):
            if parameters.first == 200 {
                paste = []
                return (nil, length)
            }
            return (parameters.first.flatMap { Self.numbered[$0] }, length)
        case UInt8(ascii: "C") where isModified: return (.wordRight, length)
        case UInt8(ascii: "D") where isModified: return (.wordLeft, length)
        case 0x00..<0x20, 0x7f...: return (nil, length - 1)
        case let final: return (Self.final[final], length)
        }
    }

    /// Parses the bytes of a paste up to the end of the paste. No byte of a paste is a key.
    private mutating func parsePaste(_ input: ArraySlice<UInt8>) -> (Key?, Int)? {
        if let end = input.firstRange(of: Self.pasteEnd) {
            let content = (paste ?? []) + input[..<end.lowerBound]
            paste = nil
            let length = end.upperBound - input.startIndex
            return (content.isEmpty ? nil : .paste(String(decoding: content, as: UTF8.self)), length)
        }
        // The buffer may end with a part of the end mark.
        let kept =
            (1..<Self.pasteEnd.count).last {
                input.count >= $0 && input.suffix($0).elementsEqual(Self.pasteEnd.prefix($0))
            } ?? 0
        let taken = input.count - kept
        guard taken > 0 else { return nil }
        paste?.append(contentsOf: input.prefix(taken))
        guard let content = paste, content.count >= Self.longestPaste else { return (nil, taken) }
        // A paste must not be cut inside a character.
        let cut = content.lastIndex { $0 & 0xc0 != 0x80 } ?? content.endIndex
        paste = Array(content[cut...])
        return (.paste(String(decoding: content[..<cut], as: UTF8.self)), taken)
    }
}
