import TLSCodec

/// The purpose of a resumption PSK (RFC 9420 §8.4).
public enum ResumptionUsage: UInt8, Hashable, Sendable {
    /// A purpose that the application defines.
    case application = 1
    /// The link from a successor group to the old group (§11.2).
    case reInit = 2
    /// The link from a branch to its original group (§11.3).
    case branch = 3
}

/// The identifier of a pre-shared key (RFC 9420 §8.4).
///
/// ```text
/// struct {
///     PSKType psktype;
///     select (PreSharedKeyID.psktype) {
///         case external:   opaque psk_id<V>;
///         case resumption: ResumptionPSKUsage usage; opaque psk_group_id<V>; uint64 psk_epoch;
///     };
///     opaque psk_nonce<V>;
/// } PreSharedKeyID;
/// ```
public struct PreSharedKeyID: Hashable, Sendable, TLSCodable {
    /// The identifier without the nonce.
    public enum Kind: Hashable, Sendable {
        /// A key that the application provides.
        case external(id: [UInt8])
        /// A key from an earlier epoch of a group.
        case resumption(usage: ResumptionUsage, groupID: [UInt8], epoch: UInt64)
    }

    /// Identifies the key.
    public let kind: Kind
    /// `KDF.Nh` random bytes, new for each use of the key.
    public let nonce: [UInt8]

    /// Creates an identifier from its two parts.
    public init(kind: Kind, nonce: [UInt8]) {
        self.kind = kind
        self.nonce = nonce
    }

    /// Reads an identifier.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 1: kind = .external(id: Array(try reader.readOpaque()))
        case 2:
            let rawUsage = try reader.readUInt8()
            guard let usage = ResumptionUsage(rawValue: rawUsage) else {
                throw .unknownValue(field: "usage", value: UInt64(rawUsage))
            }
            kind = .resumption(usage: usage, groupID: Array(try reader.readOpaque()), epoch: try reader.readUInt64())
        case let other: throw .unknownValue(field: "psktype", value: UInt64(other))
        }
        nonce = try reader.readHash()
    }

    /// Writes the identifier.
    public func encode(into writer: inout TLSWriter) {
        switch kind {
        case .external(let id):
            writer.write(UInt8(1))
            writer.writeOpaque(id)
        case .resumption(let usage, let groupID, let epoch):
            writer.write(UInt8(2))
            writer.write(usage.rawValue)
            writer.writeOpaque(groupID)
            writer.write(epoch)
        }
        writer.writeOpaque(nonce)
    }
}
