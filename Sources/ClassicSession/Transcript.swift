import Crypto
import KithSupport
import TLSCodec

/// The values by which the two users have introduced themselves: both ids, both runs, both public keys and both nonces, in
/// the order of the sides. Each side computes the transcript on its own; every signature covers it.
///
/// Normative.
///
///     struct {
///         RunID run;
///         PublicKeyOffer offer;      // id, SubjectPublicKeyInfo, nonce
///     } Party;
///
///     struct { Party first; Party second; } Transcript;
///
///     struct {                       // what a proof signs
///         opaque label<V> = "kith classic v1 proof";
///         Side signer;
///         Transcript transcript;
///     } ProofContent;
///
///     struct {                       // what a wrapped key signs
///         opaque label<V> = "kith classic v1 wrapped key";
///         Side signer;
///         Transcript transcript;
///         opaque wrapped<V>;
///     } WrappedKeyContent;
///
///     struct {
///         opaque label<V> = "kith classic v1 session";
///         Transcript transcript;
///         opaque wrappedByFirst<V>;
///         opaque wrappedBySecond<V>;
///     } SessionContent;
///
///     sessionID = SHA-256(SessionContent)
///
/// Both nonces and both runs make a signature worthless in any other run; the signer makes it worthless when sent back; the
/// ids and keys are bound to each other, so nobody can pass on a signature as their own; the labels keep one kind of
/// content from being taken for another.
struct Transcript: Hashable, Sendable {
    struct Party: Hashable, Sendable, TLSEncodable {
        var run: RunID
        var offer: PublicKeyOffer

        func encode(into writer: inout TLSWriter) {
            writer.write(run)
            writer.write(offer)
        }
    }

    private let encoding: [UInt8]

    init(mine: Party, theirs: Party, mySide: Side) {
        var writer = TLSWriter()
        writer.write(mySide == .first ? mine : theirs)
        writer.write(mySide == .first ? theirs : mine)
        encoding = writer.bytes
    }

    func proofContent(signer: Side) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeOpaque("kith classic v1 proof".utf8)
        writer.write(signer.rawValue)
        writer.writeBytes(encoding)
        return writer.bytes
    }

    func wrappedKeyContent(signer: Side, wrapped: [UInt8]) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeOpaque("kith classic v1 wrapped key".utf8)
        writer.write(signer.rawValue)
        writer.writeBytes(encoding)
        writer.writeOpaque(wrapped)
        return writer.bytes
    }

    func sessionID(wrappedByFirst: [UInt8], wrappedBySecond: [UInt8]) -> SessionID {
        var writer = TLSWriter()
        writer.writeOpaque("kith classic v1 session".utf8)
        writer.writeBytes(encoding)
        writer.writeOpaque(wrappedByFirst)
        writer.writeOpaque(wrappedBySecond)
        return SessionID(bytes: Array(SHA256.hash(data: writer.bytes)))
    }
}

/// The hash of everything that was exchanged before the first message. It names the session under every MAC, and is no
/// secret.
public struct SessionID: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// The first 16 hexadecimal digits, enough to see that two sessions differ.
    public var description: String { Hex.encode(bytes.prefix(8)) }
}
