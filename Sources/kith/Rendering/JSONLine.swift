import Foundation

/// Values for programs: one object a line, with its fields in order of their names.
///
/// What others wrote may end up on a terminal this way too, so what a terminal obeys, and what makes text read differently
/// from what it says, is escaped. Whoever decodes it gets exactly the text.
enum JSONLine {
    /// The value as one line, without a line break.
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Reports consist of texts, numbers and truth values: there is none that JSON could not hold.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return escaped(String(decoding: data, as: UTF8.self))
    }

    /// Prints the value. Returns `false` if nobody reads there any more.
    @discardableResult
    static func print(_ value: some Encodable) -> Bool { StandardStream.output.write(text(value) + "\n") }

    /// JSON without the characters that an encoder leaves in it although a terminal obeys them. Outside of its strings there
    /// is none of them.
    private static func escaped(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: isObeyed) else { return json }
        var safe = String.UnicodeScalarView()
        for scalar in json.unicodeScalars {
            if isObeyed(scalar) {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    safe.append(
                        contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars)
                }
            } else {
                safe.append(scalar)
            }
        }
        return String(safe)
    }

    private static func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x7f else { return scalar.value < 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return true
        default: return false
        }
    }
}
