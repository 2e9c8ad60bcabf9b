import KithWire

/// The state of a profile but for its inboxes: what the device's machines share, and the conversations.
struct ProfileState {
    var device: DeviceState
    var conversations = ConversationTable()

    /// Makes a new conversation.
    mutating func makeConversation(_ record: ConversationRecord) -> ConversationTable.Place {
        conversations.make(record, in: &device.step)
    }

    /// Puts what has changed into the step's transaction.
    mutating func storeConversations() { conversations.storeDirty(in: &device.step) }
}
