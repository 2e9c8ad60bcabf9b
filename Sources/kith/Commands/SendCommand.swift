import ArgumentParser
import Foundation
import KithClient
import KithWire

/// `kith send`: sends a text to a person or group.
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send a text, from the command line or from standard input.",
        discussion: """
            Ends when the relay has the text on its disk. Until then the text is kept here, and sent whenever the \
            profile is open. A text of more than \(ClientLimits.text >> 10) KiB becomes several messages, broken at line ends. If another \
            process has the profile open, such as kith chat, that one sends it.

            EXAMPLES
              kith send bob "see you at eight"
              kith send bob < letter.txt
              kith send bob - < letter.txt                   the same
              make 2>&1 | tail -20 | kith send "build robot"
              kith send --expires 1d bob "the code is 4711"  delete it a day after arrival
              kith send --reply-to 12 bob yes                answers entry 12
              kith send --no-wait bob "when there is a network"

            JSON
              One object for each message, as kith history prints it.

            EXIT CODES
              0  the relay has it    1  error
              3  the contact's key has changed (kith verify), or the relay has another key
              4  the relay was not reached in time: the text is kept and sent later
              5  another process has the profile open and does not accept the text
              6  the relay has no room: the text is kept and sent later    64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The contact or the group; #3 is conversation number 3.")
    var name: String

    @Argument(help: "The text. Without it, or with -, standard input is sent.")
    var text: [String] = []

    @Flag(name: .long, help: "End as soon as the text is stored on this device.")
    var noWait = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Each device deletes the text this long after the text arrived there (30m, 1d, ...).", valueName: "time"),
        transform: DurationArgument.read)
    var expires: DurationArgument?

    @Option(name: .long, help: ArgumentHelp("The entry to answer, by number or id.", valueName: "seq"))
    var replyTo: String?

    func validate() throws {
        if let expires, expires.seconds == 0 || UInt32(exactly: expires.seconds) == nil {
            throw ValidationError("--expires takes 1 second to 100 years.")
        }
        if let replyTo, UInt64(replyTo) == nil, EntryID(hex: replyTo) == nil {
            throw ValidationError("--reply-to takes an entry's number, or its id of 32 hexadecimal digits.")
        }
    }

    func run() async throws {
        try await reportingFailure {
            let text = text.isEmpty || text == ["-"] ? try StandardInput.text() : text.joined(separator: " ")
            if let problem = TextRules.problem(with: text, limit: StandardInput.limit) { throw problem.failure }
            let pieces = TextPieces.of(text, limit: ClientLimits.text)
            do {
                try await options.withOpen { try await send(pieces, with: $0) }
            } catch KithError.inUse {
                try await enqueueForOwner(pieces)
            }
        }
    }

    /// Stores the texts for the process that has opened the profile.
    private func enqueueForOwner(_ pieces: [String]) async throws {
        let (conversation, profile) = try await NamedTarget.conversation(
            name, underWayIn: try await options.openForReading())
        let title = conversation.name
        let answered = try await answered(in: conversation.id, profile)
        var messages: [Message] = []
        for piece in pieces {
            messages.append(
                try await profile.enqueueForOwner(
                    piece, to: conversation.id, replyTo: answered, expiresAfter: expires?.duration))
        }
        var queued = QueuedSends(messages)
        if noWait {
            await profile.close()
            StandardStream.error.write("[left for the process that has the profile open, which sends it]\n")
        } else {
            try await queued.wait(with: profile, of: options, for: relayTimeout.limit)
        }
        if options.json { for message in queued.messages { JSONLine.print(MessageReport(message, in: title)) } }
    }

    private func send(_ pieces: [String], with profile: Profile) async throws {
        let later = "Unsent messages are kept, and sent when the profile is open again (kith chat, kith listen)"
        // The events have to begin before the first message is sent.
        let events = await profile.events()
        let conversation = try await conversation(in: profile)
        let answered = try await answered(in: conversation.id, profile)
        var ids: [EntryID] = []
        for piece in pieces {
            ids.append(
                try await profile.send(
                    piece, to: conversation.id, replyTo: answered, expiresAfter: expires?.duration))
        }
        var progress = SendProgress(ids, in: conversation)
        if !noWait {
            progress = try await relayTimeout.wait(
                for: profile, at: conversation.relay, key: conversation.relayPin, hint: later
            ) {
                var progress = progress
                try await progress.wait(for: events, of: profile)
                return progress
            }
        }
        guard options.json else { return }
        if noWait { try await progress.reload(from: profile) }
        for message in progress.messages { JSONLine.print(MessageReport(message, in: conversation.name)) }
    }

    /// Finds the conversation with the name. If the name belongs to a contact without a conversation, begins a conversation.
    private func conversation(in profile: Profile) async throws -> ConversationSummary {
        switch try await NamedTarget.named(name, in: profile) {
        case .conversation(let conversation): return conversation
        case .contact(let contact):
            // If an earlier conversation has ended, its end explains more than the missing address.
            if contact.inbox == nil,
                let last = try await profile.conversations().first(where: { $0.contact == contact.id })
            {
                throw last.obstacle ?? KithError.notReachable(contact.name, .never)
            }
            return try await profile.conversation(
                try await profile.startConversation(with: contact.id, waits: false))
        }
    }

    private func answered(in conversation: ConversationID, _ profile: Profile) async throws -> EntryID? {
        guard let replyTo else { return nil }
        if let id = EntryID(hex: replyTo) { return id }
        guard let seq = UInt64(replyTo), seq > 0,
            let message = try await profile.messages(in: conversation, after: seq - 1, limit: 1).first,
            message.seq == seq
        else { throw Failure(message: "there is no message \(replyTo) to answer (kith history \(name))") }
        return message.id
    }
}
