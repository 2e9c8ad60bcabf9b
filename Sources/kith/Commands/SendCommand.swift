import ArgumentParser
import Foundation
import KithClient
import KithWire

/// `kith send`: sends a text to a person or group.
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send a text or files, from the command line or from standard input.",
        discussion: """
            Ends when the relay has the text or the files on its disk. Until then they are kept here, and sent whenever the \
            profile is open. A text of more than \(ClientLimits.text >> 10) KiB is sent as a file, with its beginning as a \
            preview. Files continue where they stopped; leave them unchanged until they are sent. If another process has \
            the profile open, such as kith chat, that one sends everything.

            EXAMPLES
              kith send bob "see you at eight"
              kith send bob < letter.txt
              kith send bob - < letter.txt                   the same
              make 2>&1 | tail -20 | kith send "build robot"
              kith send --expires 1d bob "the code is 4711"  delete it a day after arrival
              kith send --reply-to 12 bob yes                answers entry 12
              kith send --no-wait bob "when there is a network"
              kith send bob --file photo.jpg film.mp4        two files in one message
              kith send bob --file a.pdf --caption "the contract"
              tar c folder | kith send bob --file - --name folder.tar

            JSON
              One object for each message, as kith history prints it.

            EXIT CODES
              0  the relay has it    1  error
              3  the contact's key has changed (kith verify), or the relay has another key
              4  the relay was not reached in time, or a file made no progress: it is kept
                 and sent later
              5  another process has the profile open and does not accept the text
              6  the relay has no room: the text is kept and sent later    64  wrong usage
              130  ctrl-C: what is left of a file is sent later
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The contact or the group; '#3' is conversation number 3.")
    var name: String

    @OptionGroup var files: FilesToSend

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

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("The entry to answer, by number or id; -1 is the newest.", valueName: "number"))
    var replyTo: String?

    func validate() throws {
        if !files.paths.isEmpty, !text.isEmpty {
            throw ValidationError("With --file, the text goes into --caption.")
        }
        if let expires, expires.seconds == 0 || UInt32(exactly: expires.seconds) == nil {
            throw ValidationError("--expires takes 1 second to 100 years.")
        }
        if let replyTo, MessageNumber(replyTo) == nil, EntryID(hex: replyTo) == nil {
            throw ValidationError("--reply-to takes an entry's number, or its id of 32 hexadecimal digits.")
        }
    }

    func run() async throws {
        try await reportingFailure {
            var message: String?
            if files.paths.isEmpty {
                let text = text.isEmpty || text == ["-"] ? try StandardInput.text() : text.joined(separator: " ")
                if let problem = TextRules.problem(with: text, limit: StandardInput.limit) { throw problem.failure }
                message = text
            }
            do {
                try await options.withOpen { try await send(message, with: $0) }
            } catch KithError.inUse {
                try await enqueueForOwner(message)
            }
        }
    }

    /// Returns the files to send, with their caption; `nil` if the text is short enough for a message.
    ///
    /// - Parameter text: the text; `nil` to send the files of the command line.
    private func outgoingFiles(_ text: String?, in profile: Profile) throws -> (files: [FileToSend], caption: String)? {
        guard let text else { return (try files.files(in: profile), files.caption ?? "") }
        guard text.utf8.count > ClientLimits.text else { return nil }
        let (file, preview) = try profile.files.longText(text)
        return ([file], preview)
    }

    /// Stores the message for the process that has opened the profile.
    private func enqueueForOwner(_ text: String?) async throws {
        let (conversation, profile) = try await NamedTarget.conversation(
            name, underWayIn: try await options.openForReading())
        let title = conversation.name
        let answered = try await answered(in: conversation, profile)
        let outgoing = try outgoingFiles(text, in: profile)
        let message: Message
        if let outgoing {
            message = try await profile.files.enqueueForOwner(
                outgoing.files, caption: outgoing.caption, to: conversation.id, replyTo: answered,
                expiresAfter: expires?.duration)
        } else {
            message = try await profile.enqueueForOwner(
                text ?? "", to: conversation.id, replyTo: answered, expiresAfter: expires?.duration)
        }
        var queued = QueuedSends([message])
        if noWait {
            await profile.close()
            StandardStream.error.write("[left for the process that has the profile open, which sends it]\n")
        } else {
            // Only the other process knows the progress of files, and files may take long, so this process waits without a
            // limit.
            let limit = outgoing == nil ? relayTimeout.limit : DurationArgument(seconds: 0)
            try await queued.wait(with: profile, of: options, for: limit)
        }
        if options.json { for message in queued.messages { JSONLine.print(MessageReport(message, in: title)) } }
    }

    private func send(_ text: String?, with profile: Profile) async throws {
        // The events have to begin before the message is sent.
        let events = await profile.events()
        if let text, let contact = try await personOfGroup(in: profile) {
            return try await sendPrivately(text, to: contact, with: profile)
        }
        let conversation = try await conversation(in: profile)
        let answered = try await answered(in: conversation, profile)
        let outgoing = try outgoingFiles(text, in: profile)
        let id: EntryID
        if let outgoing {
            id = try await profile.files.send(
                outgoing.files, caption: outgoing.caption, to: conversation.id, replyTo: answered,
                expiresAfter: expires?.duration)
        } else {
            id = try await profile.send(
                text ?? "", to: conversation.id, replyTo: answered, expiresAfter: expires?.duration)
        }
        var progress = SendProgress([id], in: conversation)
        if !noWait { progress = try await wait(for: progress, of: id, events, profile, in: conversation) }
        guard options.json else { return }
        if noWait { try await progress.reload(from: profile) }
        for message in progress.messages { JSONLine.print(MessageReport(message, in: conversation.name)) }
    }

    /// Returns when the relay has the message.
    private func wait(
        for progress: SendProgress, of id: EntryID, _ events: AsyncStream<KithEvent>, _ profile: Profile,
        in conversation: ConversationSummary
    ) async throws -> SendProgress {
        let interruption =
            await profile.files.progress().isEmpty
            ? nil
            : Interruption(
                "not sent completely; the rest is sent when the profile is open again (kith chat, kith listen)")
        defer { interruption?.end() }
        return try await relayTimeout.wait(
            for: profile, in: conversation,
            hint: "Unsent messages are kept, and sent when the profile is open again (kith chat, kith listen)",
            counting: { await profile.files.progress().reduce(0) { $0 + $1.done } }
        ) {
            var progress = progress
            try await TransferDisplay(profile: profile, message: id).showing {
                try await progress.wait(for: events, of: profile)
            }
            return progress
        }
    }

    /// Returns the contact with the name, if there was never a conversation of two and the contact's address is unknown.
    private func personOfGroup(in profile: Profile) async throws -> Contact? {
        guard case .contact(let contact) = try await NamedTarget.named(name, in: profile), contact.inbox == nil,
            try await !profile.conversations().contains(where: { $0.contact == contact.id })
        else { return nil }
        return contact
    }

    /// Sends a first text through a common group. Returns when the relay has the text; with `--no-wait`, returns at once.
    private func sendPrivately(_ text: String, to contact: Contact, with profile: Profile) async throws {
        let group = try await profile.conversation(try await profile.sendPrivately(text, to: contact.id))
        if !noWait {
            let later = "The text is kept, and sent when the profile is open again (kith chat, kith listen)"
            try await relayTimeout.wait(for: profile, at: group.relay, hint: later) {
                while await profile.waitingRequests() > 0 { try await Task.sleep(for: .milliseconds(50)) }
            }
        }
        let name: Sentence = "\(name: contact.name)"
        StandardStream.error.say(
            "\(name) gets the text as a request, through \(quoted: group.name), and can answer after accepting it")
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

    private func answered(in conversation: ConversationSummary, _ profile: Profile) async throws -> EntryID? {
        guard let replyTo else { return nil }
        if let id = EntryID(hex: replyTo) { return id }
        guard let number = MessageNumber(replyTo) else { return nil }
        return try await number.message(in: conversation, of: profile).id
    }
}
