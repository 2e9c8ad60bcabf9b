/// Identifies an intent by its conversation and its number.
struct IntentPlace: Hashable, Sendable {
    let conversation: ConversationID
    let intent: UInt64
}

/// The commands that wait until a group changes, or until an inbox is ready or closed. The commands are not stored: a crash ends
/// their callers too.
struct WaitingCommands {
    private var byIntent: [IntentPlace: [Ticket<ConversationID>]] = [:]
    private var invites: [InboxID: Ticket<OpenInvite>] = [:]
    private var closings: [InboxID: [Ticket<Void>]] = [:]

    func isAny(for place: IntentPlace) -> Bool { byIntent[place] != nil }

    /// Whether a command waits until the inbox of an invite is ready.
    func isInviteAwaited(_ inbox: InboxID) -> Bool { invites[inbox] != nil }

    /// Returns a conversation's intents that have waiting commands, the oldest intent first.
    func places(in conversation: ConversationID) -> [IntentPlace] {
        byIntent.keys.filter { $0.conversation == conversation }.sorted { $0.intent < $1.intent }
    }

    mutating func wait(_ ticket: Ticket<ConversationID>, for place: IntentPlace) {
        byIntent[place, default: []].append(ticket)
    }

    /// Lets the commands that wait for one intent wait for another intent instead.
    mutating func move(from place: IntentPlace, to other: IntentPlace) {
        guard let tickets = byIntent.removeValue(forKey: place) else { return }
        byIntent[other, default: []] += tickets
    }

    mutating func wait(_ ticket: Ticket<OpenInvite>, forInviteTo inbox: InboxID) { invites[inbox] = ticket }

    mutating func wait(_ ticket: Ticket<Void>, forClosing inbox: InboxID) {
        closings[inbox, default: []].append(ticket)
    }

    /// Ends the commands that wait for an intent.
    mutating func finish(at place: IntentPlace, _ result: Result<ConversationID, KithError>, in step: inout Step) {
        for ticket in byIntent.removeValue(forKey: place) ?? [] { step.finish(ticket, result) }
    }

    /// Called when the inbox of an invite is ready. Ends the command that has created the invite.
    mutating func didMake(_ invite: OpenInvite, in step: inout Step) {
        if let ticket = invites.removeValue(forKey: invite.id) { step.finish(ticket, .success(invite)) }
    }

    /// Called when an inbox has been closed. Ends the commands that wait for this.
    mutating func didClose(_ inbox: InboxID, in step: inout Step) {
        for ticket in closings.removeValue(forKey: inbox) ?? [] { step.finish(ticket, .success(())) }
    }

    /// Fails all commands that wait until an inbox is ready or closed.
    mutating func fail(at inbox: InboxID, _ error: KithError, in step: inout Step) {
        if let ticket = invites.removeValue(forKey: inbox) { step.finish(ticket, .failure(error)) }
        for ticket in closings.removeValue(forKey: inbox) ?? [] { step.finish(ticket, .failure(error)) }
    }
}
