import ArgumentParser
import KithClient

/// The shared parts of the commands that change a message in the log.
struct MessageChangeOptions: ParsableArguments {
    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The contact or the group; '#3' is conversation number 3.")
    var name: String

    @Argument(help: ArgumentHelp("The message's number in kith history; -1 is the newest.", valueName: "number"))
    var number: MessageNumber

    static let exitCodes = """
        EXIT CODES
          0  done, or left for the process that has the profile open
          1  error: no such message, or it is not yours
          3  the contact's key has changed (kith verify), or the relay has another key
          4  the relay was not reached in time: the change is kept and made later
          6  the relay has no room: the change is kept and made later
          64  wrong usage
        """
    private static let later = "The change is kept, and made when the profile is open again (kith chat, kith listen)"

    /// Makes a change, and prints the message in its new state.
    func make(_ change: RequestedChange) async throws {
        do {
            try await options.withOpen { profile in
                let events = await profile.events()
                let conversation = try await NamedTarget.conversation(name, in: profile)
                let before = try await number.message(in: conversation, of: profile)
                let seq = before.seq ?? 0
                guard !change.isMade(of: before) else { return report(before, in: conversation) }
                let after = try await relayTimeout.wait(for: profile, at: conversation.relay, hint: Self.later) {
                    try await profile.change(seq, in: conversation.id, change)
                    return try await Self.changed(before, events) {
                        try await MessageNumber.seq(seq).message(in: conversation, of: profile)
                    }
                }
                report(after, in: conversation)
            }
        } catch KithError.inUse {
            let (conversation, profile) = try await NamedTarget.conversation(
                name, underWayIn: try await options.openForReading())
            let message = try await number.message(in: conversation, of: profile)
            try await profile.enqueueForOwner(change, of: message.seq ?? 0, in: conversation.id)
            await profile.close()
            StandardStream.error.write("[left for the process that has the profile open, which makes the change]\n")
        }
    }

    /// Waits until the user's change of a message has taken effect in the log. Returns the message in its new state.
    ///
    /// - Parameter read: reads the message in its current state.
    private static func changed(
        _ before: Message, _ events: AsyncStream<KithEvent>, _ read: @Sendable () async throws -> Message
    ) async throws -> Message {
        let (seq, conversation) = (before.seq, before.conversation)
        for await event in events {
            switch event {
            case .messageChanged(let message, let update)
            where message.conversation == conversation && message.seq == seq && update.isMine(message):
                return message
            case .messagesChanged(conversation):
                let now = try await read()
                if now != before { return now }
            case .conversation(let now) where now.id == conversation:
                if let obstacle = now.obstacle { throw obstacle }
            default: continue
            }
        }
        throw KithError.closed
    }

    private func report(_ message: Message, in conversation: ConversationSummary) {
        if options.json { JSONLine.print(MessageReport(message, in: conversation.name)) }
    }
}

extension RequestedChange {
    /// Whether the message already has the state that the change would give it.
    fileprivate func isMade(of message: Message) -> Bool {
        switch self {
        case .reaction(let text): message.reactions.first { $0.author == .me }?.text == text
        case .pin(let isPinned): message.isPinned == isPinned
        case .deletion: message.body == .deleted
        case .edit: false
        }
    }
}

extension MessageUpdate {
    /// Whether this user has made the change.
    fileprivate func isMine(_ message: Message) -> Bool {
        switch self {
        case .reaction(_, let author), .pinned(let author), .unpinned(let author): author == .me
        case .edited, .deleted: message.author == .me
        case .expired: false
        }
    }
}
