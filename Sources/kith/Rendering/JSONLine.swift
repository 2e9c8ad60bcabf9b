import Foundation

/// Encodes values as JSON for programs, one object per line, with the fields sorted by name.
///
/// A terminal may show the output. Therefore two kinds of characters are escaped: characters that control a terminal, and
/// characters that make a text look different from its content. A JSON decoder returns the original text.
enum JSONLine {
    /// Returns the value as one line, without a line break.
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // This does not fail, because reports contain only values that JSON can represent.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return escaped(String(decoding: data, as: UTF8.self))
    }

    /// Prints the value. Returns `false` if the output no longer has a reader.
    @discardableResult
    static func print(_ value: some Encodable) -> Bool { StandardStream.output.write(text(value) + "\n") }

    /// Escapes characters that control a terminal, unless the encoder has already escaped them. In JSON, characters that control
    /// a terminal occur only inside strings.
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
