import TLSCodec

/// A 16-bit code point from a registry of RFC 9420 §17. Unknown numbers are kept, as §13 requires.
public protocol CodePoint: RawRepresentable, Hashable, Sendable, TLSCodable where RawValue == UInt16 {
    /// Creates a code point. Unknown numbers are allowed.
    init(rawValue: UInt16)
}

extension CodePoint {
    /// Reads a code point.
    public init(from reader: inout TLSReader) throws(TLSCodecError) { self.init(rawValue: try reader.readUInt16()) }
    /// Writes the code point.
    public func encode(into writer: inout TLSWriter) { writer.write(rawValue) }
    /// Whether the value is reserved for GREASE (§13.5).
    public var isGREASE: Bool { rawValue & 0x0f0f == 0x0a0a && rawValue >> 8 == rawValue & 0xff }
}

/// `uint16 ProtocolVersion` (RFC 9420 §6).
public struct ProtocolVersion: CodePoint {
    /// The number.
    public let rawValue: UInt16
    /// Creates a version. Unknown numbers are allowed.
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// MLS 1.0, the only version so far.
    public static let mls10 = ProtocolVersion(rawValue: 1)
}

/// `uint16 ExtensionType` (RFC 9420 §7.2, §17.3).
public struct ExtensionType: CodePoint {
    /// The number.
    public let rawValue: UInt16
    /// Creates a type. Unknown numbers are allowed.
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// `application_id` (§5.3.3).
    public static let applicationID = ExtensionType(rawValue: 1)
    /// `ratchet_tree` (§12.4.3.3).
    public static let ratchetTree = ExtensionType(rawValue: 2)
    /// `required_capabilities` (§11.1).
    public static let requiredCapabilities = ExtensionType(rawValue: 3)
    /// `external_pub` (§12.4.3.2).
    public static let externalPub = ExtensionType(rawValue: 4)
    /// `external_senders` (§12.1.8.1).
    public static let externalSenders = ExtensionType(rawValue: 5)
    /// `app_data_dictionary` (draft-ietf-mls-extensions; suggested value).
    public static let appDataDictionary = ExtensionType(rawValue: 6)

    /// Whether this is a default type (§7.2). Every client supports default types. Capabilities must not contain default types.
    public var isDefault: Bool { (1...5).contains(rawValue) }
}

/// `uint16 ProposalType` (RFC 9420 §12.1, §17.4).
public struct ProposalType: CodePoint {
    /// The number.
    public let rawValue: UInt16
    /// Creates a type. Unknown numbers are allowed.
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// `add` (§12.1.1).
    public static let add = ProposalType(rawValue: 1)
    /// `update` (§12.1.2).
    public static let update = ProposalType(rawValue: 2)
    /// `remove` (§12.1.3).
    public static let remove = ProposalType(rawValue: 3)
    /// `psk` (§12.1.4).
    public static let preSharedKey = ProposalType(rawValue: 4)
    /// `reinit` (§12.1.5).
    public static let reInit = ProposalType(rawValue: 5)
    /// `external_init` (§12.1.6).
    public static let externalInit = ProposalType(rawValue: 6)
    /// `group_context_extensions` (§12.1.7).
    public static let groupContextExtensions = ProposalType(rawValue: 7)
    /// `self_remove` (draft-ietf-mls-extensions; suggested value).
    public static let selfRemove = ProposalType(rawValue: 0x000a)

    /// Whether this is a default type (§7.2). Every client supports default types. Capabilities must not contain default types.
    public var isDefault: Bool { (1...7).contains(rawValue) }
    /// Whether a commit with a proposal of this type needs a path. The "Path Required" column of the registry has this value
    /// (§12.4, §17.4).
    public var requiresPath: Bool { self != .add && self != .preSharedKey && self != .reInit }
    /// Whether a sender outside the group may send this type. The "External" column of the registry has this value (§12.1.8,
    /// §17.4).
    public var mayBeSentExternally: Bool {
        [.add, .remove, .preSharedKey, .reInit, .groupContextExtensions].contains(self)
    }
}

/// `uint16 CredentialType` (RFC 9420 §5.3, §17.5).
public struct CredentialType: CodePoint {
    /// The number.
    public let rawValue: UInt16
    /// Creates a type. Unknown numbers are allowed.
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// `basic` (§5.3).
    public static let basic = CredentialType(rawValue: 1)
    /// `x509` (§5.3).
    public static let x509 = CredentialType(rawValue: 2)
}

/// `uint16 WireFormat` (RFC 9420 §6, §17.2).
public struct WireFormat: CodePoint {
    /// The number.
    public let rawValue: UInt16
    /// Creates a format. Unknown numbers are allowed.
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// `mls_public_message`.
    public static let publicMessage = WireFormat(rawValue: 1)
    /// `mls_private_message`.
    public static let privateMessage = WireFormat(rawValue: 2)
    /// `mls_welcome`.
    public static let welcome = WireFormat(rawValue: 3)
    /// `mls_group_info`.
    public static let groupInfo = WireFormat(rawValue: 4)
    /// `mls_key_package`.
    public static let keyPackage = WireFormat(rawValue: 5)
}

/// The index of a leaf. The index identifies a member within an epoch (RFC 9420 §4.1.1).
public struct LeafIndex: RawRepresentable, Hashable, Comparable, Sendable, TLSCodable {
    /// The position of the leaf from the left, beginning with 0.
    public let rawValue: UInt32
    /// Creates an index. The tree need not have a leaf at this index.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    init(_ index: Int) { rawValue = UInt32(index) }
    /// Reads a `uint32`.
    public init(from reader: inout TLSReader) throws(TLSCodecError) { rawValue = try reader.readUInt32() }
    /// Writes a `uint32`.
    public func encode(into writer: inout TLSWriter) { writer.write(rawValue) }
    /// Compares the positions of two leaves, from left to right.
    public static func < (left: LeafIndex, right: LeafIndex) -> Bool { left.rawValue < right.rawValue }
    /// The index as an `Int`, for arrays.
    var int: Int { Int(rawValue) }
}
