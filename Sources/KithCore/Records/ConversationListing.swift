import TLSCodec

/// The user's settings for a conversation's place in lists. The settings stay on this device.
struct ConversationListing: Hashable, Sendable {
    /// Whether lists leave the conversation out. A new message makes lists show the conversation again, unless the conversation
    /// is muted.
    var isArchived = false
    /// Whether the conversation is muted: its messages are not announced, but still count as unread.
    var isMuted = false

    /// Called when a message was received.
    mutating func didReceive() {
        if !isMuted { isArchived = false }
    }
}

extension ConversationListing: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        isArchived = try reader.readPresence()
        isMuted = try reader.readPresence()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(isArchived)
        writer.write(isMuted)
    }
}

/// A change of a conversation's settings.
enum ListingChange: Hashable, Sendable {
    case archive(Bool)
    case mute(Bool)

    func apply(to listing: inout ConversationListing) {
        switch self {
        case .archive(let isArchived): listing.isArchived = isArchived
        case .mute(let isMuted): listing.isMuted = isMuted
        }
    }
}
