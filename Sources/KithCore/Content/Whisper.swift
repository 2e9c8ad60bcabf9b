import Crypto
import KithWire
import MLS
import TLSCodec

/// The content of a whisper: a challenge to the members who are online, a member's answer, or the report that a member is typing.
/// Each has a nonce and the sender's view of the log. An answer also has the proof that its sender received the challenge.
///
/// ```text
/// whisper = salt[16] || nonce[12] || ChaCha20-Poly1305(MLS-Exporter("kith whisper", salt, 32), nonce, aad = channel, padded)
/// struct {
///     uint8 type;                          challenge(1), answer(2), typing(3)
///     uint32 leaf;                         the sender's leaf
///     opaque nonce[32];                    the sender's nonce
///     select (type) { case answer: uint32 challenger; opaque challenge[32]; case typing: uint64 sent_at; };
///     LogView view;                        the sender's view of the log
///     opaque signature<V>;                 SignWithLabel(device key, "Kith live v3", WhisperProof)
/// } Whisper;
/// ```
///
/// `padded` is the whisper, padded like content, so that its length does not tell its type. See ``ContentPadding``.
///
/// The whisper's key is from an exporter and not from a ratchet, so that a whisper that nobody receives leaves no gap among the
/// messages. The relay does not store whispers.
struct Whisper: Hashable, Sendable, TLSCodable {
    enum Kind: Hashable, Sendable {
        case challenge
        /// An answer to the member with a given leaf. It repeats the nonce of that member's challenge.
        case answer(to: LeafIndex, challenge: [UInt8])
        /// The sender is typing. The time is by the sender's clock, in milliseconds since 1970.
        case typing(at: UInt64)
    }

    let kind: Kind
    let leaf: LeafIndex
    let nonce: [UInt8]
    let view: LogView
    let signature: [UInt8]

    static let label: StaticString = "Kith live v3"

    init(_ kind: Kind, from leaf: LeafIndex, nonce: [UInt8], view: LogView, signature: [UInt8]) {
        self.kind = kind
        self.leaf = leaf
        self.nonce = nonce
        self.view = view
        self.signature = signature
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        let type = try reader.readUInt8()
        leaf = try reader.read()
        nonce = Array(try reader.readBytes(32))
        switch type {
        case 1: kind = .challenge
        case 2: kind = .answer(to: try reader.read(), challenge: Array(try reader.readBytes(32)))
        case 3: kind = .typing(at: try reader.readUInt64())
        default: throw .unknownValue(field: "Whisper.type", value: UInt64(type))
        }
        view = try reader.read()
        signature = Array(try reader.readOpaque(limit: 8 << 10))
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(type)
        writer.write(leaf)
        writer.writeBytes(nonce)
        switch kind {
        case .challenge: break
        case .answer(let challenger, let challenge):
            writer.write(challenger)
            writer.writeBytes(challenge)
        case .typing(let sentAt): writer.write(sentAt)
        }
        writer.write(view)
        writer.writeOpaque(signature)
    }

    private var type: UInt8 {
        switch kind {
        case .challenge: 1
        case .answer: 2
        case .typing: 3
        }
    }
}

extension Whisper {
    /// Whether the whisper was signed by the member at the leaf that the whisper names.
    func isGenuine(_ kind: WhisperProof.Kind, by account: AccountKey, in group: Group) -> Bool {
        let proof = WhisperProof(kind: kind, nonce: nonce, account: account, view: view)
        return group.tree[leaf]?.signatureKey.verifies(
            signature, label: Self.label, proof.encoded(in: group), suite: group.cipherSuite) == true
    }

    /// Returns the payload of the whisper; `nil` if it cannot be sealed.
    func sealed(on channel: ChannelID, in group: Group, random: RandomSource) throws(MLSError) -> [UInt8]? {
        let salt = random.bytes(16)
        let key = try Self.whisperKey(salt, group)
        guard let nonce = try? ChaChaPoly.Nonce(data: random.bytes(12)),
            let padded = ContentPadding.pad(encoded),
            let box = try? ChaChaPoly.seal(padded, using: key, nonce: nonce, authenticating: channel.bytes)
        else { return nil }
        return salt + Array(box.combined)
    }

    /// Opens a whisper; `nil` if the whisper does not belong to the epoch of this group.
    init?(opening payload: ArraySlice<UInt8>, on channel: ChannelID, in group: Group) throws(MLSError) {
        guard payload.count > 16 + 12 + 16 else { return nil }
        let key = try Self.whisperKey(Array(payload.prefix(16)), group)
        guard let box = try? ChaChaPoly.SealedBox(combined: Array(payload.dropFirst(16))),
            let opened = try? ChaChaPoly.open(box, using: key, authenticating: channel.bytes),
            let content = try? ContentPadding.unpad(Array(opened)),
            let whisper = try? Whisper(decoding: Array(content))
        else { return nil }
        self = whisper
    }

    private static func whisperKey(_ salt: [UInt8], _ group: Group) throws(MLSError) -> SymmetricKey {
        try group.export(label: "kith whisper", context: salt, length: 32).withUnsafeBytes { SymmetricKey(data: $0) }
    }
}

/// The structure that is signed in a whisper.
///
/// ```text
/// struct {
///     uint8 type; opaque nonce[32]; opaque account[32];
///     select (type) {
///         case answer: opaque challenge[32]; opaque challenger_account[32];
///         case typing: uint64 sent_at;
///     };
///     opaque group_id<V>; uint64 epoch; opaque epoch_authenticator<V>; LogView view;
/// } WhisperProof;
/// ```
struct WhisperProof {
    enum Kind {
        case challenge
        case answer(challenge: [UInt8], challenger: AccountKey)
        case typing(at: UInt64)
    }

    let kind: Kind
    let nonce: [UInt8]
    let account: AccountKey
    let view: LogView

    func encoded(in group: Group) -> [UInt8] {
        var writer = TLSWriter(capacity: 384)
        switch kind {
        case .challenge: writer.write(UInt8(1))
        case .answer: writer.write(UInt8(2))
        case .typing: writer.write(UInt8(3))
        }
        writer.writeBytes(nonce)
        writer.write(account)
        switch kind {
        case .challenge: break
        case .answer(let challenge, let challenger):
            writer.writeBytes(challenge)
            writer.write(challenger)
        case .typing(let sentAt): writer.write(sentAt)
        }
        writer.writeOpaque(group.groupID)
        writer.write(group.epoch)
        group.epochAuthenticator.withUnsafeBytes { writer.writeOpaque($0) }
        writer.write(view)
        return writer.bytes
    }
}
