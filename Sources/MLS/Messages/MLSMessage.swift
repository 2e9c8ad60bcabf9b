import TLSCodec

/// A message between clients (RFC 9420 §6).
///
/// ```text
/// struct {
///     ProtocolVersion version = mls10;
///     WireFormat wire_format;
///     select (MLSMessage.wire_format) { … };
/// } MLSMessage;
/// ```
public enum MLSMessage: Hashable, Sendable, TLSCodable {
    /// A message that is signed and not encrypted.
    case publicMessage(PublicMessage)
    /// A message that is signed and encrypted.
    case privateMessage(PrivateMessage)
    /// An invitation for new members.
    case welcome(Welcome)
    /// A description of an epoch, for joiners.
    case groupInfo(GroupInfo)
    /// A client's key package.
    case keyPackage(KeyPackage)

    /// The message's wire format.
    public var wireFormat: WireFormat {
        switch self {
        case .publicMessage: .publicMessage
        case .privateMessage: .privateMessage
        case .welcome: .welcome
        case .groupInfo: .groupInfo
        case .keyPackage: .keyPackage
        }
    }

    /// Reads a message.
    ///
    /// - Throws: `TLSCodecError.unknownValue` if the version is not MLS 1.0 or the wire format is unknown.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        let version = try reader.read(ProtocolVersion.self)
        guard version == .mls10 else { throw .unknownValue(field: "version", value: UInt64(version.rawValue)) }
        switch try reader.read(WireFormat.self) {
        case .publicMessage: self = .publicMessage(try reader.read())
        case .privateMessage: self = .privateMessage(try reader.read())
        case .welcome: self = .welcome(try reader.read())
        case .groupInfo: self = .groupInfo(try reader.read())
        case .keyPackage: self = .keyPackage(try reader.read())
        case let other: throw .unknownValue(field: "wire_format", value: UInt64(other.rawValue))
        }
    }

    /// Writes the message.
    public func encode(into writer: inout TLSWriter) {
        writer.write(ProtocolVersion.mls10)
        writer.write(wireFormat)
        switch self {
        case .publicMessage(let message): writer.write(message)
        case .privateMessage(let message): writer.write(message)
        case .welcome(let welcome): writer.write(welcome)
        case .groupInfo(let groupInfo): writer.write(groupInfo)
        case .keyPackage(let keyPackage): writer.write(keyPackage)
        }
    }

    /// Reads a message from the whole of `bytes`.
    ///
    /// - Throws: ``MLSError/malformed(_:)``.
    public static func decode(_ bytes: [UInt8]) throws(MLSError) -> MLSMessage {
        try MLS.decoding { () throws(TLSCodecError) in try MLSMessage(decoding: bytes) }
    }

    /// The group and epoch of a PublicMessage or PrivateMessage; nil for every other message.
    public var destination: (groupID: [UInt8], epoch: UInt64)? {
        switch self {
        case .publicMessage(let message): (message.groupID, message.epoch)
        case .privateMessage(let message): (message.groupID, message.epoch)
        case .welcome, .groupInfo, .keyPackage: nil
        }
    }
}
