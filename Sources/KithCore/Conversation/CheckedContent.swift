import KithWire
import MLS

/// The content of a member's message, or the reason why the message can't be used.
enum CheckedContent {
    case usable(Content)
    case unusable(UnreadableReason)

    /// - Parameter id: the id of the entry that contains the message.
    init(
        _ message: ApplicationMessage, as id: EntryID, in history: inout ConversationHistory,
        _ device: inout DeviceState
    ) throws(KithError) {
        // Only commits may have authenticated data.
        guard message.authenticatedData.isEmpty,
            let content = try? Content(decoding: ContentPadding.unpad(message.data))
        else {
            self = .unusable(.malformed)
            return
        }
        guard content.messageID == id else {
            self = .unusable(.wrongID)
            return
        }
        self = try history.isNew(id, in: &device) ? .usable(content) : .unusable(.repeated)
    }
}
