import KithWire

/// The state of a profile without its inboxes: the state that the device's machines share, and the conversations.
struct ProfileState {
    var device: DeviceState
    var conversations = ConversationTable()

    mutating func makeConversation(_ record: ConversationRecord) -> ConversationTable.Place {
        conversations.make(record, in: &device.step)
    }

    /// Puts the changed conversations into the step's transaction.
    mutating func storeConversations() { conversations.storeDirty(in: &device.step) }

    /// Unloads groups that are not needed soon, but none whose changes are not in the step's transaction yet.
    func unloadIdleGroups() { conversations.unloadIdleGroups(except: device.step.dirty) }
}
