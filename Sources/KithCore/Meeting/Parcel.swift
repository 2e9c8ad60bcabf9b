import Crypto
import KithWire
import MLS
import TLSCodec

/// The place where a joining member finds the group's ratchet tree (RFC 9420 §12.4.3.3).
///
/// ```text
/// enum { in_welcome(0), parcel(1) } TreeSourceType;
/// struct { TreeSourceType type; select (type) { case parcel: ParcelAddress; } } TreeSource;
/// ```
enum TreeSource: Hashable, Sendable, TLSCodable {
    /// The tree is in the Welcome, as the `ratchet_tree` extension.
    case inWelcome
    /// The tree is in a separate channel, which has it once for all members that join with the same commit. A large group needs
    /// the separate channel, because its tree is much longer than an entry.
    case parcel(ParcelAddress)

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        self = try reader.readPresence() ? .parcel(try reader.read()) : .inWelcome
    }

    func encode(into writer: inout TLSWriter) {
        switch self {
        case .inWelcome: writer.write(UInt8(0))
        case .parcel(let address):
            writer.write(UInt8(1))
            writer.write(address)
        }
    }
}

/// The address of a parcel. A parcel is a long sealed value in a separate channel, split into entries.
///
/// ```text
/// struct { opaque channel[32]; opaque read_token[32]; opaque key[32]; uint32 length; } ParcelAddress;
/// entry i (from 0) = ChaCha20-Poly1305(key, nonce = uint96 i, aad = "kith parcel v1" || uint32 length, part i)
/// ```
///
/// The key is used for one parcel only, so the nonces may be consecutive numbers.
struct ParcelAddress: Hashable, Sendable, TLSCodable {
    let channel: ChannelID
    let readToken: Token
    let key: [UInt8]
    /// The length of the value, in bytes.
    let length: UInt32

    /// The length of every part except the last, in bytes. A part and its tag together fit into an entry.
    static let partLength = 192 << 10

    init(channel: ChannelID, readToken: Token, key: [UInt8], length: UInt32) {
        self.channel = channel
        self.readToken = readToken
        self.key = key
        self.length = length
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        channel = try reader.read()
        readToken = try reader.read()
        key = Array(try reader.readBytes(32))
        length = try reader.readUInt32()
        guard length > 0 else { throw .unknownValue(field: "ParcelAddress.length", value: 0) }
        guard length <= ClientLimits.parcel else { throw .tooLong(limit: ClientLimits.parcel) }
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(channel)
        writer.write(readToken)
        writer.writeBytes(key)
        writer.write(length)
    }

    static func == (left: ParcelAddress, right: ParcelAddress) -> Bool {
        left.channel == right.channel && left.length == right.length
    }

    func hash(into hasher: inout Hasher) { hasher.combine(channel) }

    /// The number of parts.
    var partCount: Int { (Int(length) + Self.partLength - 1) / Self.partLength }

    /// Seals the value, and returns the payloads of the parcel's entries; `nil` only if the cryptographic library fails.
    func seal(_ bytes: [UInt8]) -> [[UInt8]]? {
        var parts: [[UInt8]] = []
        for index in 0..<partCount {
            let part = bytes[index * Self.partLength..<min(bytes.count, (index + 1) * Self.partLength)]
            guard
                let box = try? ChaChaPoly.seal(
                    part, using: SymmetricKey(data: key), nonce: nonce(index), authenticating: authenticated)
            else { return nil }
            parts.append(Array(box.ciphertext + box.tag))
        }
        return parts
    }

    /// Opens the part with the given index; `nil` if the payload is not this part.
    fileprivate func open(_ payload: some Collection<UInt8>, index: Int) -> [UInt8]? {
        let sealed = Array(payload)
        guard let nonce = try? nonce(index),
            let box = try? ChaChaPoly.SealedBox(
                nonce: nonce, ciphertext: sealed.dropLast(16), tag: sealed.suffix(16)),
            let part = try? ChaChaPoly.open(box, using: SymmetricKey(data: key), authenticating: authenticated)
        else { return nil }
        return Array(part)
    }

    private var authenticated: [UInt8] { Array("kith parcel v1".utf8) + length.encoded }

    private func nonce(_ index: Int) throws -> ChaChaPoly.Nonce {
        try ChaChaPoly.Nonce(data: [0, 0, 0, 0] + UInt64(index).encoded)
    }
}

/// The parts of a parcel that have arrived. The parts may arrive in any order, because a part that the relay refuses temporarily
/// is sent again later. A part may arrive more than once, because a relay recognizes repeated entries only for some time.
struct ParcelContents {
    let address: ParcelAddress
    private var parts: [Int: [UInt8]] = [:]
    private var seen: Set<EntryID> = []
    /// Maximum number of attempts to open one entry. Each attempt opens the entry as a different missing part. Without this
    /// limit, a sender that reverses the order of the parts would cause much work at every receiver.
    private static let mostTried = 64

    init(of address: ParcelAddress) { self.address = address }

    /// Adds an entry. Returns `false` if the entry is not a part of this parcel. If an entry with the same id was added before,
    /// ignores the entry and returns `true`.
    mutating func take(_ entry: EntryID, _ payload: some Collection<UInt8>) -> Bool {
        guard seen.insert(entry).inserted else { return true }
        for index in (0..<address.partCount).lazy.filter({ [parts] in parts[$0] == nil }).prefix(Self.mostTried) {
            guard let part = address.open(payload, index: index) else { continue }
            parts[index] = part
            return true
        }
        return false
    }

    /// The complete value; `nil` while a part is missing.
    var whole: [UInt8]? {
        guard parts.count == address.partCount else { return nil }
        return (0..<address.partCount).flatMap { parts[$0] ?? [] }
    }
}

/// A reference to a commit that is too long for an entry. A turn contains the reference instead of the commit. A commit is long
/// in two cases. Until members have renewed their keys, a commit contains a ciphertext for each of them. A commit that adds many
/// members contains all of their key packages.
///
/// ```text
/// struct {
///     uint16 version = 0;        a reserved protocol version of RFC 9420, with which no MLSMessage begins
///     ParcelAddress commit;      the parcel with the MLSMessage, at the conversation's relay
///     opaque digest[32];         SHA-256 of the MLSMessage, so that all members read the same one
/// } TurnReference;
/// ```
package struct TurnReference: Hashable, Sendable, TLSCodable {
    let commit: ParcelAddress
    private let digest: [UInt8]

    private static let version: UInt16 = 0

    init(to commit: ParcelAddress, of bytes: [UInt8]) {
        self.commit = commit
        digest = Array(SHA256.hash(data: bytes))
    }

    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        let version = try reader.readUInt16()
        guard version == Self.version else {
            throw .unknownValue(field: "TurnReference.version", value: UInt64(version))
        }
        commit = try reader.read()
        digest = Array(try reader.readBytes(32))
    }

    package func encode(into writer: inout TLSWriter) {
        writer.write(Self.version)
        writer.write(commit)
        writer.writeBytes(digest)
    }

    /// The parcel's channel.
    package var channel: ChannelID { commit.channel }

    /// Returns the commit from the parcel's entries; `nil` if a part is missing, or if the commit does not have the reference's
    /// digest.
    package func commit(from entries: [(entry: EntryID, payload: [UInt8])]) -> [UInt8]? {
        var contents = ParcelContents(of: commit)
        for (entry, payload) in entries { _ = contents.take(entry, payload) }
        return contents.whole.flatMap { isTo($0) ? $0 : nil }
    }

    func isTo(_ bytes: [UInt8]) -> Bool { SHA256.hash(data: bytes).elementsEqual(digest) }
}
