import Crypto
import MLS
import TLSCodec

/// The key that seals everything in an inbox: key packages from the owner, and Welcomes to the owner.
///
/// ```text
/// sealed = nonce[12] || ChaCha20-Poly1305(key, nonce, aad = "kith inbox v1" || uint8 purpose || channel, plaintext)
/// ```
struct InboxSealKey: Sendable, TLSCodable {
    /// The kind of a sealed value. The seal covers the kind, so that a value of one kind cannot be taken for one of another
    /// kind.
    enum Purpose: UInt8 { case keyPackage = 1, message }

    private let bytes: SecretBytes

    /// Creates a random key.
    init(random: RandomSource) { bytes = random.secret(32) }

    init(from reader: inout TLSReader) throws(TLSCodecError) { bytes = SecretBytes(try reader.readBytes(32)) }

    func encode(into writer: inout TLSWriter) { bytes.withUnsafeBytes { writer.writeBytes($0) } }

    private var key: SymmetricKey { bytes.withUnsafeBytes { SymmetricKey(data: $0) } }

    private static func authenticated(_ purpose: Purpose, _ channel: [UInt8]) -> [UInt8] {
        Array("kith inbox v1".utf8) + [purpose.rawValue] + channel
    }

    /// Seals a value for an inbox; `nil` only if the cryptographic library fails.
    func seal(_ plaintext: [UInt8], _ purpose: Purpose, channel: [UInt8], random: RandomSource) -> [UInt8]? {
        guard let nonce = try? ChaChaPoly.Nonce(data: random.bytes(12)),
            let box = try? ChaChaPoly.seal(
                plaintext, using: key, nonce: nonce, authenticating: Self.authenticated(purpose, channel))
        else { return nil }
        return Array(box.combined)
    }

    /// Opens a value that was sealed for this purpose and inbox; `nil` for any other value.
    func open(_ sealed: some Collection<UInt8>, _ purpose: Purpose, channel: [UInt8]) -> [UInt8]? {
        guard let box = try? ChaChaPoly.SealedBox(combined: Array(sealed)),
            let plaintext = try? ChaChaPoly.open(
                box, using: key, authenticating: Self.authenticated(purpose, channel))
        else { return nil }
        return Array(plaintext)
    }
}
