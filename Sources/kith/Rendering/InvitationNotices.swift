import KithClient

/// Lines about conversations that strangers began: the first ones are named, and a flood is counted.
struct InvitationNotices {
    private var told: Set<ConversationID> = []
    private var repeats = Repeats()

    /// The line to tell now; `nil` if the conversation was told of before, or is only counted.
    ///
    /// - Parameter now: milliseconds by any clock.
    mutating func line(for conversation: ConversationSummary, at now: UInt64) -> Sentence? {
        let each = MessageWording.toldOneByOne
        guard told.insert(conversation.id).inserted, let count = repeats.next(at: now, each: each) else { return nil }
        return count <= each ? MessageWording.invitation(conversation) : MessageWording.invitations(count)
    }
}
