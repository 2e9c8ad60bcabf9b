import Foundation

/// Values for programs: one object a line, with its fields in order of their names.
enum JSONLine {
    /// The value as one line, without a line break.
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Reports consist of texts, numbers and truth values: there is none that JSON could not hold.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }

    /// Prints the value. Returns `false` if nobody reads there any more.
    @discardableResult
    static func print(_ value: some Encodable) -> Bool { StandardStream.output.write(text(value) + "\n") }
}
