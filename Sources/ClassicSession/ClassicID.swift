import Foundation

/// The name by which one user knows the other. Each user enters both ids. The channel, all signatures and the session's id
/// depend on the ids.
///
/// Two people must get the same bytes for the same name, even if they type the name on different keyboards. Therefore white space
/// at the ends of an id is removed, and the id is converted to Unicode normalization form C. Upper and lower case are different.
///
/// Some characters are refused:
///
/// - Control and format characters (direction overrides, zero-width characters), and line and paragraph separators, because these
///   characters could disturb a terminal, or make two ids look alike.
/// - Code points that are not assigned in the Unicode version of this program, because the normal form of such a code point may
///   still change.
public struct ClassicID: Hashable, Sendable, CustomStringConvertible {
    /// The id as it is shown: 1 to ``ClassicLimits/idBytes`` bytes of UTF-8 in normalization form C.
    public let name: String

    /// The id's bytes. The session sorts, hashes, signs and sends these bytes.
    var bytes: [UInt8] { Array(name.utf8) }

    /// Creates an id from the text that a user typed.
    ///
    /// - Throws: ``ClassicIDError`` if the text is empty, is too long, or contains a forbidden character.
    public init(_ typed: String) throws(ClassicIDError) {
        // Normalizing takes time and memory in proportion to the length, so a text that is too long is refused first.
        // Normalization form C makes no string shorter than a third of its length.
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

    /// Creates an id from received bytes; `nil` if the bytes are not in normal form.
    init?(wire bytes: ArraySlice<UInt8>) {
        guard bytes.count <= ClassicLimits.idBytes, let text = String(validating: bytes, as: UTF8.self),
            let id = try? ClassicID(text), id.name.utf8.elementsEqual(bytes)
        else { return nil }
        self = id
    }

    /// The id as it is shown.
    public var description: String { name }
}

/// The reason why a text is not an id.
public enum ClassicIDError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text has nothing but white space.
    case empty
    /// The text has more than `limit` bytes of UTF-8.
    case tooLong(limit: Int)
    /// The text has a character that is invisible, moves the cursor, or is not assigned in the Unicode version of this program.
    case forbiddenCharacter(Unicode.Scalar)
    /// Both users have the same id.
    case sameAsPeer

    /// A sentence for the user who typed the text.
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
