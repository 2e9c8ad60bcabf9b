import Crypto
import CryptoExtras
import Foundation
import KithSupport
import TLSCodec

/// The two keys that protect the messages in one direction. The receiver of the messages has created the two keys, which have 64
/// bytes together. The receiver has wrapped the keys and sent them to the sender.
///
/// Normative. Bytes 0–31 are the AES-256 key, bytes 32–63 the HMAC-SHA256 key. Encrypt-then-MAC: AES-256-CBC with PKCS #7 padding
/// and a fresh random IV, then HMAC-SHA256 over
///
///     struct {
///         opaque label<V> = "kith classic v1 message";
///         opaque sessionID[32];
///         Side sender;
///         FrameType type;            // message or bye
///         uint64 number;
///         opaque iv[16];
///         opaque ciphertext<V>;
///     } AuthenticatedContent;
struct DirectionKeys: Sendable, Equatable {
    static let byteCount = 64

    private let encryption: SecretBytes
    private let authentication: SecretBytes

    /// Splits 64 secret bytes into the two keys; `nil` for any other number of bytes.
    init?(_ material: SecretBytes) {
        guard material.count == Self.byteCount else { return nil }
        func part(_ range: Range<Int>) -> SecretBytes {
            material.withUnsafeBytes { SecretBytes($0[range]) }
        }
        encryption = part(0..<32)
        authentication = part(32..<64)
    }

    /// The session and the message for which a MAC is made.
    struct Context {
        var sessionID: SessionID
        var sender: Side
        var kind: SealedMessage.Kind
        var number: UInt64
    }

    /// Encrypts and authenticates a plaintext.
    func seal(_ plaintext: [UInt8], _ context: Context, iv: [UInt8]) throws -> SealedMessage {
        let ciphertext = Array(
            try encryption.withKey { try AES._CBC.encrypt(plaintext, using: $0, iv: AES._CBC.IV(ivBytes: iv)) })
        return SealedMessage(
            kind: context.kind, number: context.number, iv: iv, ciphertext: ciphertext,
            mac: authenticationCode(context, iv: iv, ciphertext: ciphertext))
    }

    /// Returns the MAC of a ciphertext in its context.
    func authenticationCode(_ context: Context, iv: [UInt8], ciphertext: [UInt8]) -> [UInt8] {
        let content = Self.authenticatedContent(context, iv: iv, ciphertext: ciphertext)
        return Array(authentication.withKey { HMAC<SHA256>.authenticationCode(for: content, using: $0) })
    }

    /// Returns the message if its MAC is right; otherwise `nil`. The MACs are compared in constant time. Only the returned
    /// message can be decrypted.
    func authenticate(_ sealed: SealedMessage, _ context: Context) -> AuthenticMessage? {
        let content = Self.authenticatedContent(context, iv: sealed.iv, ciphertext: sealed.ciphertext)
        let isRight = authentication.withKey {
            HMAC<SHA256>.isValidAuthenticationCode(sealed.mac, authenticating: content, using: $0)
        }
        return isRight ? AuthenticMessage(sealed: sealed, encryption: encryption) : nil
    }

    private static func authenticatedContent(_ context: Context, iv: [UInt8], ciphertext: [UInt8]) -> [UInt8] {
        var writer = TLSWriter(capacity: ciphertext.count + 128)
        writer.writeOpaque("kith classic v1 message".utf8)
        writer.writeBytes(context.sessionID.bytes)
        writer.write(context.sender.rawValue)
        writer.write(context.kind.rawValue)
        writer.write(context.number)
        writer.writeBytes(iv)
        writer.writeOpaque(ciphertext)
        return writer.bytes
    }
}

/// A sealed message whose MAC was right. A message with a wrong MAC cannot be decrypted.
struct AuthenticMessage {
    private let sealed: SealedMessage
    private let encryption: SecretBytes

    fileprivate init(sealed: SealedMessage, encryption: SecretBytes) {
        self.sealed = sealed
        self.encryption = encryption
    }

    /// The plaintext; `nil` if the authenticated content is not a ciphertext of this cipher. Only a faulty program on the other
    /// side can cause `nil`. Callers handle `nil` exactly like a wrong MAC.
    func decrypted() -> [UInt8]? {
        guard let iv = try? AES._CBC.IV(ivBytes: sealed.iv),
            let plaintext = try? encryption.withKey({ try AES._CBC.decrypt(sealed.ciphertext, using: $0, iv: iv) })
        else { return nil }
        return Array(plaintext)
    }
}
