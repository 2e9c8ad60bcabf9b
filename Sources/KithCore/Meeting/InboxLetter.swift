import Crypto
import KithWire
import MLS
import TLSCodec

/// An ``InboxMessage`` under the init key of the key package that its Welcome is for, as it lies in an inbox, sealed once
/// more. The seal key of an inbox is known to everybody who has its address, and that of a registered name to the relay.
///
/// ```text
/// struct {
///     opaque key_package_ref<V>;
///     HPKECiphertext message;      EncryptWithLabel(init_key, "Kith InboxMessage", channel, InboxMessage)
/// } InboxLetter;
/// ```
struct InboxLetter: Sendable, TLSCodable {
    /// The `KeyPackageRef` (RFC 9420 §5.2) of the package that opens it.
    let keyPackage: [UInt8]
    private let message: HPKECiphertext

    private static let label: StaticString = "Kith InboxMessage"

    /// - Throws: ``MLSError/crypto(_:)`` for a package whose key is none.
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

    /// What it says; `nil` if it is not for that key package, or of another version.
    func open(with bundle: KeyPackageBundle, channel: ChannelID) -> InboxMessage? {
        guard let bytes = try? bundle.decrypt(message, label: Self.label, context: channel.bytes) else { return nil }
        return try? InboxMessage(decoding: bytes.copyBytes())
    }

    /// What it is known by when it comes again.
    var digest: [UInt8] { Array(SHA256.hash(data: encoded)) }
}
