import KithWire

/// A sentence of this program, in which other people's text can be distinguished from the program's own words.
///
/// A sentence is made from a literal. A bare `String` cannot be interpolated. The code has to state the origin of a text with
/// `\(name: …)`, `\(quoted: …)` or `\(own: …)`.
package struct Sentence: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringInterpolation {
    /// The whole sentence, without a full stop. It may still contain characters that control a terminal.
    package let description: String

    /// Creates a sentence without values.
    package init(stringLiteral words: StaticString) { description = "\(words)" }

    /// Creates a sentence with values.
    package init(stringInterpolation: StringInterpolation) { description = stringInterpolation.text }

    /// Collects the parts of a sentence.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        /// Begins a sentence.
        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        /// Appends words from the source code.
        package mutating func appendLiteral(_ words: StaticString) { text += "\(words)" }

        /// Appends another sentence.
        package mutating func appendInterpolation(_ sentence: Sentence) { text += sentence.description }

        /// Appends a number.
        package mutating func appendInterpolation(_ number: some BinaryInteger) { text += String(number) }

        /// Appends a value whose description consists of the program's own words or of digits.
        package mutating func appendInterpolation(_ words: some OwnWords) { text += words.description }

        /// Appends other people's text, in quotes if that is necessary.
        package mutating func appendInterpolation(_ foreign: ForeignText) { text += foreign.description }

        /// Appends the name of a person, a device or a conversation, in quotes if that is necessary.
        package mutating func appendInterpolation(name: String) { text += ForeignText(name).description }

        /// Appends other people's text that is a sentence or a title, always in quotes.
        package mutating func appendInterpolation(quoted: String) { text += ForeignText(quoted).quoted }

        /// Appends a duration, which is given in seconds, as a whole number of the largest unit that divides it.
        package mutating func appendInterpolation(duration seconds: UInt32) {
            let units: [(UInt32, String)] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")]
            guard let (length, unit) = units.first(where: { seconds % $0.0 == 0 }) else { return }
            let count = seconds / length
            text += "\(count) \(unit)\(count == 1 ? "" : "s")"
        }

        /// Appends text that this program has made, such as a date or a fingerprint, or a path that the user gave.
        package mutating func appendInterpolation(own text: String) { self.text += text }
    }
}

extension Sentence {
    /// Concatenates two sentences.
    package static func + (left: Self, right: Self) -> Self { "\(left)\(right)" }
}

extension Sequence<Sentence> {
    /// Joins the sentences with a separator between them.
    package func joined(separator: Sentence) -> Sentence {
        var joined: Sentence?
        for sentence in self { joined = joined.map { $0 + separator + sentence } ?? sentence }
        return joined ?? ""
    }
}

/// A type whose description consists of the program's own words, of digits, or of characters from an alphabet without spaces
/// and brackets.
package protocol OwnWords: CustomStringConvertible {}

extension RelayAddress: OwnWords {}
extension RelayPin: OwnWords {}
extension AccountFingerprint: OwnWords {}
