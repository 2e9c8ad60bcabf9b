import Crypto
import KithSupport
import TLSCodec

/// The values with which the two users have introduced themselves: both ids, runs, public keys and nonces, in the order of the
/// sides. Each side computes the transcript independently, and every signature includes the transcript.
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
/// The nonces and runs make a signature invalid in every other run. If somebody sends a signature back to its signer, the field
/// `signer` makes the signature invalid. A signature covers the ids together with the keys, so nobody can present another user's
/// signature. The labels keep a signature of one kind of content from being valid for another kind.
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

/// The hash of all values that were exchanged before the first message. The hash identifies the session in every MAC, and is not
/// secret.
public struct SessionID: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes of the hash.
    public let bytes: [UInt8]

    /// The first 16 hexadecimal digits, which are enough to see that two sessions differ.
    public var description: String { Hex.encode(bytes.prefix(8)) }
}
