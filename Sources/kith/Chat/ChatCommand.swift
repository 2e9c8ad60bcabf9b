import ArgumentParser
import AsyncAlgorithms
import Foundation
import KithClient
import KithWire

/// `kith chat NAME`: shows a conversation on the screen.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Talk to a person or a group.",
        discussion: """
            Opens the conversation with its last messages. Type and press Enter; /help lists the commands. Messages that \
            you send while the relay can't be reached wait on this device, across restarts, and are sent automatically. \
            Ctrl-D, or ctrl-C on an empty line, ends the program; the conversation stays.

            If the name is unknown here, the command offers to look it up at the relay, which then learns the name; \
            --yes skips the question. The relay supplies the key, so the person is unverified until you compare safety \
            numbers (/verify). For a known person, --relay must name that person's relay, and --relay-pass-file gives \
            its new pass, which is kept.

            Behind your messages, ✓ means that the relay has it, ✓✓ that it was read; in a group, ✓✓ 2 that two members \
            have read it. Members of a group of more than 8 send no read receipts. Web addresses are links if the \
            terminal is known to show them; KITH_LINKS=always or KITH_LINKS=never overrides this.

            If standard input is not a terminal, each line is sent as a message, and none is a command. At the end of \
            the input, the program waits until the relay has all messages, for at most --timeout.

            EXAMPLES
              kith chat bob                      talk to bob
              kith chat team --history 200       with more messages
              kith chat carol --relay host:7443  looks up carol at that relay
              echo "the backup is done" | kith chat admins
              kith chat bob --json               prints events as JSON, one a line
              kith chat bob --relay-pass-file new    a new pass

            EXIT CODES
              0  done
              1  error
              3  a key is not the expected one
              4  the relay was not reached, or did not accept everything in time
              5  another process has the profile open
              6  the relay has no room: messages are kept and sent later
              64  wrong usage
              130  you decided against it
            """)

    /// Maximum wait if no conversation or person has the name. A conversation or person may still arrive in an inbox.
    private static let inboxWait = Duration.seconds(3)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relay: RelayChoice
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "A contact, a group, a conversation's number as '#3', or a name to look up at the relay.")
    var name: String

    @Option(name: .long, help: ArgumentHelp("Number of earlier messages to show.", valueName: "n"))
    var history = 50

    @Flag(name: .long, help: "Send no read receipts.")
    var noReceipts = false

    @Flag(name: .long, help: "Neither tell others that you are typing, nor show it of them.")
    var noTyping = false

    @Flag(name: .long, help: "Skip the confirmation for an unverified key.")
    var yes = false

    func validate() throws {
        guard (1...SlashCommand.mostHistory).contains(history) else {
            throw ValidationError("--history takes 1 to \(SlashCommand.mostHistory).")
        }
    }

    func run() async throws {
        try await reportingFailure {
            // The signal is ignored, because `StandardStream` notices a closed pipe when it writes.
            signal(SIGPIPE, SIG_IGN)
            try await options.withOpen { profile in
                let lines = LineReader()
                let conversation = try await find(in: profile, lines)
                var session = try await ChatSession(
                    conversation, of: profile, reading: lines,
                    options: ChatSession.Options(
                        page: history, sendsReceipts: !noReceipts, sharesTyping: !noTyping,
                        timeout: relayTimeout.limit),
                    isJSON: options.json)
                try await session.run()
            }
        }
    }

    private func find(in profile: Profile, _ lines: LineReader) async throws -> ConversationID {
        switch try await known(in: profile) {
        case .conversation(let conversation):
            try await relay.apply(
                to: conversation.name, at: KnownRelay(address: conversation.relay, pin: conversation.relayPin),
                of: profile, within: relayTimeout.limit)
            return conversation.id
        case .contact(let contact):
            if let point = contact.inbox?.relay {
                try await relay.apply(
                    to: contact.name, at: KnownRelay(address: point.address, pin: point.pin), of: profile,
                    within: relayTimeout.limit)
            }
            return try await start(with: contact.id, in: profile)
        case nil:
            let contact = try await lookUp(try await consentToLookUp(in: profile), in: profile)
            return try await start(with: contact, in: profile)
        }
    }

    /// Returns the name after the user has agreed to send it to a relay. A mistyped name of a person or group must not reach a
    /// relay, so this function asks the user first.
    ///
    /// - Throws: ``Failure`` with similar names if the name cannot be a name at a relay, if there is no relay to ask, or if there
    ///   is no terminal for the question. ``ExitCode/interrupted`` if the user does not say yes.
    private func consentToLookUp(in profile: Profile) async throws -> Name {
        let here = try await profile.conversations().map(\.name) + profile.contacts().map(\.name)
        let unknown = NamedTarget.unknown(name, among: here)
        guard let name = Name(self.name) else { throw Failure(unknown) }
        if yes { return name }
        let relays = await profile.relays()
        guard relay.relay != nil || !relays.isEmpty, let prompt = Prompt() else {
            throw Failure(unknown)
        }
        defer { prompt.close() }
        say(unknown)
        let point = try await relay.point(for: profile, within: relayTimeout.limit)
        guard try await prompt.decide("Ask the relay at \(point.address) who has the name \(name: name.text)?") == .yes
        else { throw ExitCode.interrupted }
        return name
    }

    /// Finds the conversation or contact with the name. If nothing has the name, waits a little: the inbox may still receive an
    /// invitation to a new group, or a letter from a person who has just used an invite.
    private func known(in profile: Profile) async throws -> NamedTarget? {
        let events = await profile.events()
        func find() async throws -> NamedTarget? {
            try NamedTarget.find(
                name, conversations: try await profile.conversations(), contacts: await profile.contacts())
        }
        if let target = try await find() { return target }
        guard await profile.relays().contains(where: { $0.inboxes > 0 }) else { return nil }
        say("\(name: name) is not known here yet; looking into the inboxes")
        let news = events.compactMap { if case .conversation = $0 { true } else { nil } }
        let end = [false].async.map { end in
            try? await Task.sleep(for: Self.inboxWait)
            return end
        }
        for await isNews in merge(news, end) {
            guard isNews else { return nil }
            if let target = try await find() { return target }
        }
        return nil
    }

    private func start(with contact: ContactID, in profile: Profile) async throws -> ConversationID {
        try await relayTimeout.wait(for: profile, hint: RelayTimeoutOption.runAgain) {
            try await profile.startConversation(with: contact)
        }
    }

    /// Asks the relay for the owner of the name, and asks the user whether to trust the answer.
    private func lookUp(_ name: Name, in profile: Profile) async throws -> ContactID {
        let point = try await relay.point(for: profile, within: relayTimeout.limit)
        let shown: Sentence = "\(name: name.text)"
        say("asking the relay at \(point.address) for \(shown)")
        let id: ContactID
        do {
            id = try await relayTimeout.wait(for: profile, at: point.address, hint: RelayTimeoutOption.runAgain) {
                try await profile.lookUp(name, at: point)
            }
        } catch KithError.nameUnknown {
            throw Failure("nobody has the name \(shown) at the relay at \(point.address)")
        }
        guard let contact = await profile.contacts().first(where: { $0.id == id }) else { throw KithError.nameUnknown }
        say(
            "the relay says that \(shown) has the key \(contact.accountKey.fingerprint). It may lie: \(name: contact.name) is unverified until you compare numbers (/verify)"
        )
        if !yes {
            guard let prompt = Prompt() else {
                throw Failure("\(shown) is unverified, and there is no terminal to ask on; --yes starts anyway")
            }
            defer { prompt.close() }
            guard try await prompt.decide("Start a conversation?") == .yes else { throw ExitCode.interrupted }
        }
        return id
    }

    private func say(_ text: Sentence) { StandardStream.error.say(text) }
}
