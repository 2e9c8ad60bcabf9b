import Crypto
import KithSupport

/// The SHA-256 hash of a public key. Two people can compare the hash aloud.
///
/// The hash is computed from the key's SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER. The command
/// `openssl rsa -in KEY -pubout -outform DER | sha256sum` prints the same digits.
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes of the hash.
    public let bytes: [UInt8]

    /// Computes the fingerprint of a key.
    init(ofSubjectPublicKeyInfo encoding: [UInt8]) {
        bytes = Array(SHA256.hash(data: encoding))
    }

    /// Reads a fingerprint in the form of ``description`` or `sha256sum`: 64 hexadecimal digits, in upper or lower case. Hyphens,
    /// colons and spaces between the digits are ignored. All 64 digits are required. For an attacker, a key that matches only
    /// some of the digits is much easier to find.
    ///
    /// - Throws: ``FingerprintError`` for any other text.
    public init(_ text: String) throws(FingerprintError) {
        var digits = ""
        for character in text {
            if character == "-" || character == ":" || character.isWhitespace { continue }
            guard character.isASCII, character.isHexDigit else { throw .notADigit(character) }
            guard digits.utf8.count < 64 else { throw .wrongLength }
            digits.append(character)
        }
        guard digits.utf8.count == 64, let bytes = Hex.decode(digits) else { throw .wrongLength }
        self.bytes = bytes
    }

    /// Sixteen groups of four digits with hyphens between them: `3f2a-91bc-…`. On a command line, this is one word.
    public var description: String { groups.joined(separator: "-") }

    /// The sixteen groups of four hexadecimal digits. A user interface can show the groups in rows.
    public var groups: [String] {
        stride(from: 0, to: 32, by: 2).map { Hex.encode(bytes[$0...($0 + 1)]) }
    }
}

/// The reason why a text is not a fingerprint.
public enum FingerprintError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text does not have 64 hexadecimal digits.
    case wrongLength
    /// The text has a character that is neither a hexadecimal digit nor a separator.
    case notADigit(Character)

    /// A sentence for the user who typed the text.
    public var description: String {
        switch self {
        case .wrongLength: "a fingerprint has 64 hexadecimal digits"
        case .notADigit(let character):
            "a fingerprint has only hexadecimal digits, and \(String(reflecting: character)) is none"
        }
    }
}
