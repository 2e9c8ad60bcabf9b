import Crypto
import KithSupport

/// The SHA-256 of a public key, short enough that two people can compare it aloud.
///
/// Taken over the key's SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER, so
/// `openssl rsa -in KEY -pubout -outform DER | sha256sum` gives the same digits.
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes of the hash.
    public let bytes: [UInt8]

    /// The fingerprint of a key.
    init(ofSubjectPublicKeyInfo encoding: [UInt8]) {
        bytes = Array(SHA256.hash(data: encoding))
    }

    /// Reads a fingerprint as ``description`` or `sha256sum` writes it: 64 hexadecimal digits, in upper or lower case, with
    /// any hyphens, colons or spaces between them. All digits are required: half a fingerprint protects far less than half
    /// as well.
    ///
    /// - Throws: ``FingerprintError`` if it is anything else.
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

    /// Sixteen groups of four digits with hyphens between them: `3f2a-91bc-…`. One word for a command line.
    public var description: String { groups.joined(separator: "-") }

    /// The sixteen groups of four hexadecimal digits, for showing them in rows.
    public var groups: [String] {
        stride(from: 0, to: 32, by: 2).map { Hex.encode(bytes[$0...($0 + 1)]) }
    }
}

/// The reason that a text is no fingerprint.
public enum FingerprintError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It does not have 64 hexadecimal digits.
    case wrongLength
    /// It holds something that is neither a hexadecimal digit nor a separator.
    case notADigit(Character)

    /// A sentence for the user who typed it.
    public var description: String {
        switch self {
        case .wrongLength: "a fingerprint has 64 hexadecimal digits"
        case .notADigit(let character):
            "a fingerprint has only hexadecimal digits, and \(String(reflecting: character)) is none"
        }
    }
}
