import KithWire

/// A sentence of this program, in which foreign text can be told apart from the program's own words.
///
/// A sentence is made from a literal. A bare `String` can't be interpolated: the writer must state its origin, with `\(name: …)`,
/// `\(quoted: …)` or `\(own: …)`.
package struct Sentence: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringInterpolation {
    /// The whole sentence, without a full stop. Not yet safe for a terminal.
    package let description: String

    /// A sentence without values.
    package init(stringLiteral words: StaticString) { description = "\(words)" }

    /// A sentence with values.
    package init(stringInterpolation: StringInterpolation) { description = stringInterpolation.text }

    /// Collects the parts of a sentence.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        /// Begins a sentence.
        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        /// Appends words of the source code.
        package mutating func appendLiteral(_ words: StaticString) { text += "\(words)" }

        /// Appends another sentence.
        package mutating func appendInterpolation(_ sentence: Sentence) { text += sentence.description }

        /// Appends a number.
        package mutating func appendInterpolation(_ number: some BinaryInteger) { text += String(number) }

        /// Appends a value whose description consists of this program's words or of digits.
        package mutating func appendInterpolation(_ words: some OwnWords) { text += words.description }

        /// Appends foreign text, in quotes if it needs them.
        package mutating func appendInterpolation(_ foreign: ForeignText) { text += foreign.description }

        /// Appends a person's, a device's or a conversation's name, in quotes if it needs them.
        package mutating func appendInterpolation(name: String) { text += ForeignText(name).description }

        /// Appends foreign text that is a sentence of its own or a title: always in quotes.
        package mutating func appendInterpolation(quoted: String) { text += ForeignText(quoted).quoted }

        /// Appends text that this program made: a date, a fingerprint, a path that the user gave.
        package mutating func appendInterpolation(own text: String) { self.text += text }
    }
}

extension Sentence {
    /// Concatenates two sentences.
    package static func + (left: Self, right: Self) -> Self { "\(left)\(right)" }
}

extension Sequence<Sentence> {
    /// The sentences with a separator between them.
    package func joined(separator: Sentence) -> Sentence {
        var joined: Sentence?
        for sentence in self { joined = joined.map { $0 + separator + sentence } ?? sentence }
        return joined ?? ""
    }
}

/// A type whose description consists of this program's words, of digits, or of an alphabet without spaces and brackets.
package protocol OwnWords: CustomStringConvertible {}

extension RelayAddress: OwnWords {}
extension RelayPin: OwnWords {}
extension AccountFingerprint: OwnWords {}
