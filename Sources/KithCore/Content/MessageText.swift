import MLS
import TLSCodec

/// The text of a message, with the people that it mentions.
///
/// ```text
/// struct { opaque text<V>; Mention mentions<V>; } MessageText;
/// struct { uint32 offset; uint32 length; AccountFingerprint account; } Mention;
/// ```
struct MessageText: Hashable, Sendable, ExpressibleByStringLiteral {
    let text: String
    /// The mentions, in the order of their places in the text. No two mentions overlap.
    let mentions: [Mention]

    /// A part of a text that names a person. In place of the part, each reader sees the name that the reader has given the
    /// person.
    struct Mention: Hashable, Sendable {
        /// The place of the part in the text's UTF-8, in bytes. It includes the `@`.
        let range: Range<Int>
        /// The account of the person.
        let account: AccountFingerprint
    }

    init(_ text: String, mentions: [Mention] = []) {
        self.text = text
        self.mentions = mentions
    }

    init(stringLiteral text: String) { self.init(text) }

    /// Returns the text with another name in place of each mention.
    ///
    /// - Parameter name: returns the name to show for an account; `nil` to leave the mention as the text's author wrote it.
    func replacingMentions(_ name: (AccountFingerprint) -> String?) -> String {
        guard !mentions.isEmpty else { return text }
        let bytes = Array(text.utf8)
        var shown: [UInt8] = []
        var place = 0
        for mention in mentions {
            guard let name = name(mention.account) else { continue }
            shown += bytes[place..<mention.range.lowerBound]
            shown += Array("@\(name)".utf8)
            place = mention.range.upperBound
        }
        return String(decoding: shown + bytes[place...], as: UTF8.self)
    }
}

extension MessageText: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        text = try reader.readText(limit: ClientLimits.text)
        var list = try reader.readNested()
        var mentions: [Mention] = []
        var end = 0
        while !list.isAtEnd {
            guard mentions.count < ClientLimits.mentions else {
                throw .unknownValue(field: "MessageText.mentions", value: UInt64(ClientLimits.mentions))
            }
            let (offset, length) = (Int(try list.readUInt32()), Int(try list.readUInt32()))
            let account = try AccountFingerprint(from: &list)
            // A part that does not begin with an `@` could hide words from readers who know the person.
            guard length > 0, offset >= end, Self.isWhole(text, offset..<offset + length),
                text.utf8[text.utf8.index(text.utf8.startIndex, offsetBy: offset)] == UInt8(ascii: "@")
            else {
                throw .unknownValue(field: "Mention.offset", value: UInt64(offset))
            }
            mentions.append(Mention(range: offset..<offset + length, account: account))
            end = offset + length
        }
        self.mentions = mentions
    }

    func encode(into writer: inout TLSWriter) {
        writer.writeText(text)
        writer.writeNested { writer in
            for mention in mentions {
                writer.write(UInt32(mention.range.lowerBound))
                writer.write(UInt32(mention.range.count))
                writer.write(mention.account)
            }
        }
    }

    /// Whether a range of bytes is within the text and consists of whole Unicode scalars.
    private static func isWhole(_ text: String, _ range: Range<Int>) -> Bool {
        let utf8 = text.utf8
        guard range.upperBound <= utf8.count else { return false }
        return [range.lowerBound, range.upperBound].allSatisfy { place in
            utf8.index(utf8.startIndex, offsetBy: place).samePosition(in: text.unicodeScalars) != nil
        }
    }
}

extension MessageText {
    /// Finds the mentions in a text. A mention is an `@` that is directly followed by a person's name. There must be no letter
    /// or digit directly before the `@` or directly after the name. If several names match, the longest name counts.
    ///
    /// - Parameter people: the people who can be mentioned.
    init(_ text: String, mentioning people: [(name: String, account: AccountFingerprint)]) {
        let names = people.filter { !$0.name.isEmpty }.sorted {
            ($1.name.utf8.count, $0.name) < ($0.name.utf8.count, $1.name)
        }
        var mentions: [Mention] = []
        var place = text.startIndex
        var isInWord = false
        while place < text.endIndex, mentions.count < ClientLimits.mentions {
            let start = place
            text.formIndex(after: &place)
            defer { isInWord = Self.isWord(text[text.index(before: place)]) }
            guard text[start] == "@", !isInWord else { continue }
            let rest = text[place...]
            let found = names.first { person in
                rest.hasPrefix(person.name)
                    && !(rest.dropFirst(person.name.count).first.map(Self.isWord) ?? false)
            }
            guard let found else { continue }
            place = text.index(place, offsetBy: found.name.count)
            let lower = text.utf8.distance(from: text.startIndex, to: start)
            mentions.append(
                Mention(
                    range: lower..<text.utf8.distance(from: text.startIndex, to: place), account: found.account))
        }
        self.init(text, mentions: mentions)
    }

    private static func isWord(_ character: Character) -> Bool { character.isLetter || character.isNumber }
}
