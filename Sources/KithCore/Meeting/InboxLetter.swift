import Crypto
import KithWire
import MLS
import TLSCodec

/// An encrypted ``InboxMessage``. It can be decrypted only with the private init key of the key package for which the message's
/// Welcome was made, so only the inbox's owner can read it. In the inbox, the letter is also sealed with the inbox's seal key.
/// This seal alone does not keep the letter secret, because everyone who has the inbox's address knows the seal key. If the inbox
/// has a registered name, the relay of that name knows the seal key.
///
/// ```text
/// struct {
///     opaque key_package_ref<V>;
///     HPKECiphertext message;      EncryptWithLabel(init_key, "Kith InboxMessage", channel, InboxMessage)
/// } InboxLetter;
/// ```
struct InboxLetter: Sendable, TLSCodable {
    /// The `KeyPackageRef` (RFC 9420 §5.2) of the key package that opens the letter.
    let keyPackage: [UInt8]
    private let message: HPKECiphertext

    private static let label: StaticString = "Kith InboxMessage"

    /// - Throws: ``MLSError/crypto(_:)`` if the key package has an invalid init key.
    init(
        _ message: InboxMessage, to keyPackage: KeyPackage, channel: ChannelID, random: RandomSource
    ) throws(MLSError) {
        self.keyPackage = try keyPackage.reference()
        self.message = try keyPackage.encrypt(
            message.encoded, label: Self.label, context: channel.bytes, random: random)
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        keyPackage = Array(try reader.readOpaque(limit: 64))
        message = try reader.read()
    }

    func encode(into writer: inout TLSWriter) {
        writer.writeOpaque(keyPackage)
        writer.write(message)
    }

    /// Returns the decrypted message; `nil` if the letter is for another key package or has another version.
    func open(with bundle: KeyPackageBundle, channel: ChannelID) -> InboxMessage? {
        guard let bytes = try? bundle.decrypt(message, label: Self.label, context: channel.bytes) else { return nil }
        return try? InboxMessage(decoding: bytes.copyBytes())
    }

    /// The digest by which the letter is recognized if it arrives again.
    var digest: [UInt8] { Array(SHA256.hash(data: encoded)) }
}
