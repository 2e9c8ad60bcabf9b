import TLSCodec

/// The state on which all members of a group agree (RFC 9420 §8.1).
///
/// ```text
/// struct {
///     ProtocolVersion version = mls10;
///     CipherSuite cipher_suite;
///     opaque group_id<V>;
///     uint64 epoch;
///     opaque tree_hash<V>;
///     opaque confirmed_transcript_hash<V>;
///     Extension extensions<V>;
/// } GroupContext;
/// ```
public struct GroupContext: Hashable, Sendable, TLSCodable {
    /// The protocol version.
    public let version: ProtocolVersion
    /// The cipher suite.
    public let cipherSuite: CipherSuite
    /// The group's identifier.
    public let groupID: [UInt8]
    /// The epoch's number.
    public internal(set) var epoch: UInt64
    /// The hash of the ratchet tree (§7.8).
    public internal(set) var treeHash: [UInt8]
    /// The hash of all commits so far (§8.2).
    public internal(set) var confirmedTranscriptHash: [UInt8]
    /// The group's extensions.
    public internal(set) var extensions: [Extension]

    init(
        cipherSuite: CipherSuite, groupID: [UInt8], epoch: UInt64, treeHash: [UInt8],
        confirmedTranscriptHash: [UInt8], extensions: [Extension]
    ) {
        version = .mls10
        self.cipherSuite = cipherSuite
        self.groupID = groupID
        self.epoch = epoch
        self.treeHash = treeHash
        self.confirmedTranscriptHash = confirmedTranscriptHash
        self.extensions = extensions
    }

    /// Reads a group context.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        version = try reader.read()
        cipherSuite = try reader.read()
        groupID = Array(try reader.readOpaque())
        epoch = try reader.readUInt64()
        treeHash = Array(try reader.readOpaque(limit: Limits.hashLength))
        confirmedTranscriptHash = Array(try reader.readOpaque(limit: Limits.hashLength))
        extensions = try reader.readExtensions()
    }

    /// Writes the group context.
    public func encode(into writer: inout TLSWriter) {
        writer.write(version)
        writer.write(cipherSuite)
        writer.writeOpaque(groupID)
        writer.write(epoch)
        writer.writeOpaque(treeHash)
        writer.writeOpaque(confirmedTranscriptHash)
        writer.writeVector(extensions)
    }
}
