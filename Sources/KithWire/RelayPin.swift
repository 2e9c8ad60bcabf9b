import Crypto
import Foundation

/// SHA-256 of the SubjectPublicKeyInfo of a relay's certificate: what a client knows a relay by.
public struct RelayPin: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes of the hash.
    public let bytes: [UInt8]

    /// The pin of a key.
    ///
    /// - Parameter subjectPublicKeyInfo: the DER encoding (RFC 5280 §4.1.2.7).
    public init(subjectPublicKeyInfo: some DataProtocol) {
        bytes = Array(SHA256.hash(data: subjectPublicKeyInfo))
    }

    /// Reads what ``description`` writes; the prefix may be left out. `nil` if it is not a pin.
    public init?(_ text: String) {
        let encoded = text.hasPrefix(Self.prefix) ? String(text.dropFirst(Self.prefix.count)) : text
        let base64 = encoded.replacing("-", with: "+").replacing("_", with: "/") + "="
        guard encoded.utf8.count == 43, let data = Data(base64Encoded: base64), data.count == 32 else { return nil }
        bytes = Array(data)
    }

    private static let prefix = "sha256:"

    /// `sha256:` and 43 characters of unpadded base64url.
    public var description: String {
        let base64 = Data(bytes).base64EncodedString().prefix(43)
        return Self.prefix + base64.replacing("+", with: "-").replacing("/", with: "_")
    }
}
