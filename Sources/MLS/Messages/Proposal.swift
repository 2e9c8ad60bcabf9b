import TLSCodec

/// A change that a commit can make (RFC 9420 §12.1).
///
/// Large associated values are stored separately (`indirect`), so that a small proposal takes little memory. The smallest
/// proposal has an encoding of two bytes, so a received list may contain very many proposals.
public enum Proposal: Hashable, Sendable, TLSCodable {
    /// Add a client (§12.1.1).
    indirect case add(KeyPackage)
    /// Replace the sender's leaf (§12.1.2).
    indirect case update(LeafNode)
    /// Remove a member (§12.1.3).
    case remove(LeafIndex)
    /// Inject a pre-shared key (§12.1.4).
    indirect case preSharedKey(PreSharedKeyID)
    /// Close the group, and continue in a new one (§12.1.5).
    indirect case reInit(ReInit)
    /// The KEM output of an external commit (§12.1.6).
    case externalInit(kemOutput: [UInt8])
    /// Replace the group context's extensions (§12.1.7).
    case groupContextExtensions([Extension])
    /// Remove the sender (draft-ietf-mls-extensions).
    case selfRemove

    /// The proposal's type.
    public var type: ProposalType {
        switch self {
        case .add: .add
        case .update: .update
        case .remove: .remove
        case .preSharedKey: .preSharedKey
        case .reInit: .reInit
        case .externalInit: .externalInit
        case .groupContextExtensions: .groupContextExtensions
        case .selfRemove: .selfRemove
        }
    }

    /// Reads a proposal.
    ///
    /// - Throws: `TLSCodecError.unknownValue` if the type is none of the cases. A reader cannot skip a proposal of unknown
    ///   type, because the encoding does not contain the proposal's length. A group may use only proposal types that its
    ///   members support (§13.2).
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.read(ProposalType.self) {
        case .add: self = .add(try reader.read())
        case .update: self = .update(try reader.read())
        case .remove: self = .remove(try reader.read())
        case .preSharedKey: self = .preSharedKey(try reader.read())
        case .reInit: self = .reInit(try reader.read())
        case .externalInit: self = .externalInit(kemOutput: Array(try reader.readOpaque()))
        case .groupContextExtensions: self = .groupContextExtensions(try reader.readExtensions())
        case .selfRemove: self = .selfRemove
        case let other: throw .unknownValue(field: "proposal_type", value: UInt64(other.rawValue))
        }
    }

    /// Writes the proposal.
    public func encode(into writer: inout TLSWriter) {
        writer.write(type)
        switch self {
        case .add(let keyPackage): writer.write(keyPackage)
        case .update(let leafNode): writer.write(leafNode)
        case .remove(let index): writer.write(index)
        case .preSharedKey(let id): writer.write(id)
        case .reInit(let reInit): writer.write(reInit)
        case .externalInit(let kemOutput): writer.writeOpaque(kemOutput)
        case .groupContextExtensions(let extensions): writer.writeVector(extensions)
        case .selfRemove: break
        }
    }
}

/// `struct { opaque group_id<V>; ProtocolVersion version; CipherSuite cipher_suite; Extension extensions<V>; } ReInit;`
/// (RFC 9420 §12.1.5)
public struct ReInit: Hashable, Sendable, TLSCodable {
    /// The new group's identifier.
    public let groupID: [UInt8]
    /// The new group's version.
    public let version: ProtocolVersion
    /// The new group's cipher suite.
    public let cipherSuite: CipherSuite
    /// The new group's extensions.
    public let extensions: [Extension]

    /// Creates a value from its four fields.
    public init(
        groupID: [UInt8], version: ProtocolVersion = .mls10, cipherSuite: CipherSuite, extensions: [Extension] = []
    ) {
        self.groupID = groupID
        self.version = version
        self.cipherSuite = cipherSuite
        self.extensions = extensions
    }

    /// Reads the four fields.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        groupID = Array(try reader.readOpaque())
        version = try reader.read()
        cipherSuite = try reader.read()
        extensions = try reader.readExtensions()
    }

    /// Writes the four fields.
    public func encode(into writer: inout TLSWriter) {
        writer.writeOpaque(groupID)
        writer.write(version)
        writer.write(cipherSuite)
        writer.writeVector(extensions)
    }
}

/// A proposal, or a reference to a proposal that was sent before (RFC 9420 §12.4).
package enum ProposalOrRef: Hashable, Sendable, TLSCodable {
    /// The proposal itself.
    case proposal(Proposal)
    /// A `ProposalRef` (§5.2).
    case reference([UInt8])

    /// The approximate length of the encoding in bytes.
    var sizeHint: Int {
        switch self {
        case .reference(let reference): reference.count + 3
        case .proposal(.add), .proposal(.update): 512
        case .proposal: 64
        }
    }

    /// Reads a proposal or a reference.
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 1: self = .proposal(try reader.read())
        case 2: self = .reference(try reader.readHash())
        case let other: throw .unknownValue(field: "ProposalOrRefType", value: UInt64(other))
        }
    }

    /// Writes the proposal or the reference.
    package func encode(into writer: inout TLSWriter) {
        switch self {
        case .proposal(let proposal):
            writer.write(UInt8(1))
            writer.write(proposal)
        case .reference(let reference):
            writer.write(UInt8(2))
            writer.writeOpaque(reference)
        }
    }
}
