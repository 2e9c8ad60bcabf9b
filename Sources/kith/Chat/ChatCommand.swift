import ArgumentParser
import Foundation
import KithClient
import KithWire

/// `kith chat NAME`: a conversation on the screen.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Talk to somebody, or to a group.",
        discussion: """
            Opens the conversation with its last messages. Type and press Enter; /help lists what else there is. What you \
            send while the relay can't be reached waits on this device, across restarts, and goes out by itself. Ctrl-D, \
            or ctrl-C on an empty line, ends the program; the conversation stays.

            A name that is not known here may be looked up at the relay, which then learns the name: you are asked first, \
            and --yes says so beforehand. The key is then what the relay says, so the person is unverified until you compare \
            safety numbers (/verify). For somebody who is known, --relay can only name the relay they are at, \
            and --relay-pass-file gives its new pass, which is kept.

            Where standard input is no terminal, each of its lines is sent as it is, without commands; at its end, the \
            program waits until the relay has all of them, for as long as --timeout says.

            EXAMPLES
              kith chat bob                      talk to bob
              kith chat team --history 200       with more of what was said before
              kith chat carol --relay host:7443  if she is new, asks that relay for carol
              echo "the backup is done" | kith chat admins
              kith chat bob --json               one JSON object a line for what happens
              kith chat bob --relay host:7443 --relay-pass-file new    a new pass

            EXIT CODES
              0  done
              1  something failed, said in one line
              3  a key is not the expected one
              4  the relay can't be reached, or did not take all in time
              5  another process has the profile open
              6  the relay has no room: it goes out later
              64  wrong usage
              130  you decided not to
            """)

    /// So long what lies in an inbox may take.
    private static let inboxPatience = Duration.seconds(3)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relay: RelayChoice
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "A contact, a group, a conversation's number as #3, or a name to look up at the relay.")
    var name: String

    @Option(name: .long, help: ArgumentHelp("How many earlier messages to show.", valueName: "n"))
    var history = 50

    @Flag(name: .long, help: "Do not tell the others what you have read.")
    var noReceipts = false

    @Flag(name: .long, help: "Start with somebody whose key came from the relay without asking.")
    var yes = false

    func validate() throws {
        guard (1...SlashCommand.mostHistory).contains(history) else {
            throw ValidationError("--history takes 1 to \(SlashCommand.mostHistory).")
        }
    }

    func run() async throws {
        try await reportingFailure {
            // A reader that went away is noticed where it is written to.
            signal(SIGPIPE, SIG_IGN)
            try await options.withOpen { profile in
                let lines = LineReader()
                let conversation = try await find(in: profile, lines)
                var session = try await ChatSession(
                    conversation, of: profile, reading: lines,
                    options: ChatSession.Options(
                        page: history, sendsReceipts: !noReceipts, timeout: relayTimeout.limit),
                    isJSON: options.json)
                try await session.run()
            }
        }
    }

    private func find(in profile: Profile, _ lines: LineReader) async throws -> ConversationID {
        switch try await known(in: profile) {
        case .conversation(let conversation):
            try await relay.apply(
                to: conversation.name, at: conversation.relay, of: profile, within: relayTimeout.limit)
            return conversation.id
        case .contact(let contact):
            if let address = contact.inbox?.relay.address {
                try await relay.apply(to: contact.name, at: address, of: profile, within: relayTimeout.limit)
            }
            return try await start(with: contact.id, in: profile)
        case nil:
            let contact = try await lookUp(try await consentToLookUp(in: profile), in: profile)
            return try await start(with: contact, in: profile)
        }
    }

    /// The name, if it may be told to a relay. A mistyped name of a person or a group is no relay's business.
    ///
    /// - Throws: ``Failure`` with the names that may have been meant, if nobody can be asked.
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

    /// Finds what has the name here. A person who has just used an invite, or a group that is new, may be in an inbox still.
    private func known(in profile: Profile) async throws -> NamedTarget? {
        let events = await profile.events()
        func find() async throws -> NamedTarget? {
            try NamedTarget.find(
                name, conversations: try await profile.conversations(), contacts: await profile.contacts())
        }
        if let target = try await find() { return target }
        guard await profile.relays().contains(where: { $0.inboxes > 0 }) else { return nil }
        say("\(name: name) is not known here yet; looking into the inboxes")
        let (changes, change) = AsyncStream.makeStream(of: Void.self)
        let tasks = [
            Task { for await event in events { if case .conversation = event { change.yield() } } },
            Task {
                try await Task.sleep(for: Self.inboxPatience)
                change.finish()
            },
        ]
        defer { for task in tasks { task.cancel() } }
        for await _ in changes {
            if let target = try await find() { return target }
        }
        return nil
    }

    private func start(with contact: ContactID, in profile: Profile) async throws -> ConversationID {
        try await relayTimeout.wait(for: profile, hint: RelayTimeoutOption.runAgain) {
            try await profile.startConversation(with: contact)
        }
    }

    /// Asks the relay who has the name, and the user whether to believe it.
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
            "the relay says that \(shown) has the key \(contact.accountKey.fingerprint). It could say anything: \(name: contact.name) is unverified until you compare numbers (/verify)"
        )
        if !yes {
            guard let prompt = Prompt() else {
                throw Failure("\(shown) is unverified, and nobody is here to ask: say --yes to start anyway")
            }
            defer { prompt.close() }
            guard try await prompt.decide("Start a conversation?") == .yes else { throw ExitCode.interrupted }
        }
        return id
    }

    private func say(_ text: Sentence) { StandardStream.error.say(text) }
}
