import KithSupport
import KithWire
import TLSCodec

/// A line with which a person can begin a conversation with the creator of the line. It consists of `kith:` and the base64url
/// encoding of this structure:
///
/// ```text
/// struct {
///     uint8 version = 1;
///     InboxAddress inbox;
///     opaque name<V>;      the creator's name
///     uint64 expires_at;   the time of expiry, in seconds since 1970
/// } Invite;
/// ```
public struct Invite: Hashable, Sendable, TLSCodable {
    /// The creator's inbox.
    public let inbox: InboxAddress
    /// The creator's name.
    public let name: String
    /// The time at which the invite expires, in seconds since 1970.
    package let expiresAt: UInt64

    private static let version: UInt8 = 1
    /// The highest version that any future Kith will write. A higher number means that the line is damaged.
    private static let highestVersion: UInt8 = 8
    private static let scheme = "kith:"

    init(inbox: InboxAddress, name: String, expiresAt: UInt64) {
        self.inbox = inbox
        self.name = name
        self.expiresAt = expiresAt
    }

    /// Reads a pasted invite. Spaces and line breaks in the text are ignored.
    ///
    /// - Throws: ``InviteError``.
    public init(line: String) throws(InviteError) {
        let text = line.filter { !$0.isWhitespace }
        guard text.lowercased().hasPrefix(Self.scheme) else { throw .notAnInvite }
        guard text.utf8.count <= ClientLimits.invite else { throw .notAnInvite }
        guard let bytes = Base64URL.decode(text.dropFirst(Self.scheme.count)) else { throw .incomplete }
        if let version = bytes.first, version > Self.version, version <= Self.highestVersion { throw .version(version) }
        do { self = try Invite(decoding: bytes) } catch { throw .incomplete }
    }

    /// The invite as a line of text. Anyone who has the line can use the invite, so it must reach only the people for whom it is
    /// meant.
    public var line: String { Self.scheme + Base64URL.encode(encoded) }

    /// Reads an invite.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "Invite.version", value: UInt64(version)) }
        inbox = try reader.read()
        name = try reader.readText(limit: ClientLimits.personName)
        expiresAt = try reader.readUInt64()
    }

    /// Writes the invite.
    public func encode(into writer: inout TLSWriter) {
        writer.write(Self.version)
        writer.write(inbox)
        writer.writeText(name)
        writer.write(expiresAt)
    }
}

/// The reason why a text cannot be used as an invite.
public enum InviteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text does not begin with `kith:`, or is longer than ``ClientLimits/invite``.
    case notAnInvite
    /// Characters are missing or wrong.
    case incomplete
    /// A newer Kith has created the invite.
    case version(UInt8)

    /// One sentence for the user, without a full stop.
    public var description: String {
        switch self {
        case .notAnInvite: "this is not an invite; an invite is one line that begins with kith:"
        case .incomplete: "the invite is damaged; copy the whole line, from kith: to its end"
        case .version(let version): "the invite needs a newer Kith (version \(version)); update Kith and try again"
        }
    }
}
