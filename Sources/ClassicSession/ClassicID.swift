import Foundation

/// The name by which a user is known to the other. Each user tells it to the program; both keys, the channel and all
/// signatures are bound to it.
///
/// Two people must arrive at the same bytes for the same name, whatever keyboard it was typed on. So an id is stripped of
/// white space at its ends and put into Unicode normalization form C. Characters that could make two ids look alike or
/// disturb a terminal are refused: control and format characters (direction overrides, zero-width characters), line and
/// paragraph separators, and code points that no Unicode version known here assigns (their normal form is not settled).
/// Upper and lower case are different.
public struct ClassicID: Hashable, Sendable, CustomStringConvertible {
    /// The id as shown: 1 to ``ClassicLimits/idBytes`` bytes of UTF-8 in normalization form C.
    public let name: String

    /// The id's bytes, which are sorted, hashed, signed and sent.
    var bytes: [UInt8] { Array(name.utf8) }

    /// Takes an id as a user typed it.
    ///
    /// - Throws: ``ClassicIDError`` if it is empty, too long or holds a character that ids can't have.
    public init(_ typed: String) throws(ClassicIDError) {
        // Normalizing costs time and memory by the length, so an oversized input is refused first. Normalization form C
        // never makes a string shorter than a third of its length.
        guard typed.utf8.count <= 4 * ClassicLimits.idBytes else { throw .tooLong(limit: ClassicLimits.idBytes) }
        let trimmed = typed.trimmingCharacters(in: .whitespaces)
        let name = trimmed.precomposedStringWithCanonicalMapping
        guard !name.isEmpty else { throw .empty }
        guard name.utf8.count <= ClassicLimits.idBytes else { throw .tooLong(limit: ClassicLimits.idBytes) }
        for scalar in name.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .surrogate:
                throw .forbiddenCharacter(scalar)
            default:
                continue
            }
        }
        self.name = name
    }

    /// Takes an id off the wire, where only the normal form is an id.
    init?(wire bytes: ArraySlice<UInt8>) {
        guard bytes.count <= ClassicLimits.idBytes, let text = String(validating: bytes, as: UTF8.self),
            let id = try? ClassicID(text), id.name.utf8.elementsEqual(bytes)
        else { return nil }
        self = id
    }

    /// The id as shown.
    public var description: String { name }
}

/// The reason that a text is no id.
public enum ClassicIDError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It holds nothing but white space.
    case empty
    /// It has more than `limit` bytes of UTF-8.
    case tooLong(limit: Int)
    /// It holds a character that is invisible, moves the cursor, or is unknown.
    case forbiddenCharacter(Unicode.Scalar)
    /// Both users have the same id.
    case sameAsPeer

    /// A sentence for the user who typed it.
    public var description: String {
        switch self {
        case .empty: "an id can't be empty"
        case .tooLong(let limit): "an id can't be longer than \(limit) bytes"
        case .forbiddenCharacter(let scalar):
            "an id can't hold the character U+\(String(scalar.value, radix: 16, uppercase: true)): "
                + "it is invisible, moves the cursor, or is not assigned"
        case .sameAsPeer: "your id and the other user's id must differ"
        }
    }
}
