import KithWire

/// The state of a profile without its inboxes: the conversations, and the state that all machines of the device share.
struct ProfileState {
    var device: DeviceState
    var conversations = ConversationTable()

    mutating func makeConversation(_ record: ConversationRecord) -> ConversationTable.Place {
        conversations.make(record, in: &device.step)
    }

    /// Whether the user may get another request: a pending conversation, or a private request through a group.
    var hasRoomForRequest: Bool {
        conversations.pendingCount + device.contacts.requestCount < ClientLimits.pendingConversations
    }

    /// Adds the changed conversations to the step's transaction.
    mutating func storeConversations() { conversations.storeDirty(in: &device.step) }

    /// Removes groups from memory: those of pending conversations, and the least recently used ones beyond
    /// ``ClientLimits/loadedGroups``. A group stays if its changes are not in the step's transaction yet.
    func unloadIdleGroups() { conversations.unloadIdleGroups(except: device.step.dirty) }
}
