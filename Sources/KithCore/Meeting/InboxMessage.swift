import TLSCodec

/// An invitation to a conversation. It is sealed and put into an inbox.
///
/// ```text
/// struct {
///     uint8 version = 3;              version 2 ends before the timer
///     RelayPoint relay;               the relay that has the conversation's channel
///     opaque title<V>;                the title of a group; empty for a conversation of two
///     uint8 is_direct;                1 for a conversation of two
///     opaque welcome<V>;              an MLSMessage with a Welcome for the invited member only
///     TreeSource tree;
///     LogView view;                   the inviter's view at the start of the Welcome's epoch
///     uint32 timer;                   seconds after which the conversation's messages expire; 0 for never
///     opaque first_lines<V>;          the beginning of the inviter's waiting texts, padded with zeros to 1,024 bytes
/// } InboxMessage;
/// ```
struct InboxMessage: Sendable {
    /// The relay with the conversation's channel. The channel's id equals the group's id.
    let relay: RelayPoint
    /// The group's title. Empty for a conversation of two.
    let title: String
    /// Whether the conversation is a conversation of two.
    let isDirect: Bool
    /// The Welcome as an encoded `MLSMessage`.
    let welcome: [UInt8]
    /// The place where the group's ratchet tree is.
    let tree: TreeSource
    /// The inviter's view of the log at the start of the Welcome's epoch.
    let view: LogView
    /// The time after which the conversation's new messages expire, in seconds; `nil` for never.
    var timer: UInt32?
    /// The beginning of the texts that wait in the inviter's outbox.
    var firstLines = FirstLines.none
}

extension InboxMessage: TLSCodable {
    private static let version: UInt8 = 3

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        let version = try reader.readUInt8()
        guard (2...Self.version).contains(version) else {
            throw .unknownValue(field: "InboxMessage.version", value: UInt64(version))
        }
        relay = try reader.read()
        title = try reader.readText(limit: ClientLimits.title)
        isDirect = try reader.readPresence()
        welcome = Array(try reader.readOpaque())
        tree = try reader.read()
        view = try reader.read()
        let seconds = version == 2 ? 0 : try reader.readUInt32()
        timer = seconds == 0 ? nil : seconds
        if version > 2 {
            firstLines = FirstLines(padded: Array(try reader.readOpaque(limit: ClientLimits.firstLines)))
        }
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(Self.version)
        writer.write(relay)
        writer.writeText(title)
        writer.write(UInt8(isDirect ? 1 : 0))
        writer.writeOpaque(welcome)
        writer.write(tree)
        writer.write(view)
        writer.write(timer ?? 0)
        writer.writeOpaque(firstLines.padded)
    }
}
