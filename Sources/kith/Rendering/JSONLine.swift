import Foundation

/// Encodes values as JSON for programs: one object a line, with its fields sorted by name.
///
/// The output may end up on a terminal. Therefore characters that a terminal obeys, or that make text read differently
/// from what it says, are escaped. A JSON decoder returns the original text.
enum JSONLine {
    /// Returns the value as one line, without a line break.
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Reports hold only values that JSON can represent.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return escaped(String(decoding: data, as: UTF8.self))
    }

    /// Prints the value. Returns `false` if the output has no reader any more.
    @discardableResult
    static func print(_ value: some Encodable) -> Bool { StandardStream.output.write(text(value) + "\n") }

    /// Escapes characters that a terminal obeys and the encoder leaves as they are. They only occur inside JSON
    /// strings.
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
