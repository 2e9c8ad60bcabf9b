import Crypto
import KithSupport

/// SHA-256 of a relay's public key (the SubjectPublicKeyInfo of its certificate). With the pin, a client recognises the relay
/// without a certificate authority or a domain.
public struct RelayPin: Hashable, Sendable, CustomStringConvertible {
    /// The hash, 32 bytes.
    public let bytes: [UInt8]

    /// Hashes an encoded SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    public init(ofSubjectPublicKeyInfo encoding: some Sequence<UInt8>) {
        bytes = Array(SHA256.hash(data: Array(encoding)))
    }

    /// Creates a pin from its 32 bytes; `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.bytes = Array(bytes)
    }

    /// Reads a pin of 64 hexadecimal digits in upper or lower case. The text may begin with `sha256:` or `sha256/`, and may
    /// contain hyphens, colons and spaces between the digits. Every other text gives `nil`. All digits are required: a key that
    /// matches only a part of the pin is much easier to find.
    public init?(_ text: String) {
        var rest = text[...]
        if rest.lowercased().hasPrefix("sha256:") || rest.lowercased().hasPrefix("sha256/") { rest = rest.dropFirst(7) }
        guard let bytes = Hex.decode(rest.filter { $0 != "-" && $0 != ":" && $0 != " " }) else { return nil }
        self.init(bytes)
    }

    /// The pin as 64 hexadecimal digits in lower case, as `sha256sum` writes them.
    public var description: String { Hex.encode(bytes) }
}
