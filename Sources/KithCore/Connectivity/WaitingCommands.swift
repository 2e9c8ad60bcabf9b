/// An intent of a conversation.
struct IntentPlace: Hashable, Sendable {
    let conversation: ConversationID
    let intent: UInt64
}

/// The commands that wait for a change of a group, or for an inbox to be ready or closed. A command that a crash overtakes has nobody
/// to tell.
struct WaitingCommands {
    private var byIntent: [IntentPlace: [CommandID]] = [:]
    private var byInbox: [InboxID: [CommandID]] = [:]

    func isAny(for place: IntentPlace) -> Bool { byIntent[place] != nil }

    func isAny(for inbox: InboxID) -> Bool { byInbox[inbox] != nil }

    /// The changes of a conversation that are waited for, the oldest first.
    func places(in conversation: ConversationID) -> [IntentPlace] {
        byIntent.keys.filter { $0.conversation == conversation }.sorted { $0.intent < $1.intent }
    }

    mutating func wait(_ command: CommandID, for place: IntentPlace) { byIntent[place, default: []].append(command) }

    mutating func wait(_ command: CommandID, for inbox: InboxID) { byInbox[inbox, default: []].append(command) }

    /// Ends the commands that wait for an intent.
    mutating func finish(at place: IntentPlace, _ result: Result<CommandResult, KithError>, in step: inout Step) {
        for command in byIntent.removeValue(forKey: place) ?? [] { step.finish(command, result) }
    }

    /// Ends the commands that wait for an inbox.
    mutating func finish(at inbox: InboxID, _ result: Result<CommandResult, KithError>, in step: inout Step) {
        for command in byInbox.removeValue(forKey: inbox) ?? [] { step.finish(command, result) }
    }
}
