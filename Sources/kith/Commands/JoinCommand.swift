import ArgumentParser
import Foundation
import KithClient

/// `kith join`: begins a conversation with another person. The command uses an invite of that person.
struct JoinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Use an invite, and talk to the person who made it.",
        discussion: """
            Makes your profile first if there is none. On a terminal, the chat opens. Otherwise, or with --no-chat, the \
            command ends when your invitation is in the other person's inbox. The conversation works in both directions \
            once their device has accepted. An invite for one person may have been used by somebody else before; then \
            their device declines. The keys of the relay and the person must match those in the invite.

            The conversation is at the relay that the invite names. If you know the person already and have a \
            conversation at that relay, it continues there, with the device that made the invite.

            EXAMPLES
              kith join kith:AQEd...                  the line that you were given
              kith join - < invite.txt                not visible in the process list
              kith join --name "Bob (work)" kith:AQEd...
              kith join --no-chat --yes kith:AQEd...  asks nothing

            JSON
              With --json the chat does not open. One object: conversation, name, ... as
              kith list prints it.

            EXIT CODES
              0  the invitation is in the inbox
              1  error (for example, the invite is damaged, expired or used)
              3  a key is not the one in the invite
              4  not done in time: the relay was not reached, or the inbox is full, or
                 the other person's keys are not valid by this device's clock yet.
                 The invitation is kept and tried again
              5  another process has the profile open
              6  the relay has no room    64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption
    @OptionGroup var setup: ProfileSetup

    @Argument(help: "The invite, or - to read it from standard input. Default: asks for it.")
    var line: String?

    @Option(name: .long, help: "Your name for the other person, in place of their own.")
    var name: String?

    @Option(name: .long, help: "Your name, if a profile has to be made.")
    var myName: String?

    @Flag(name: .long, help: "Do not open the chat.")
    var noChat = false

    func validate() throws {
        if let name { try ProfileSetup.check("--name", name) }
        if let myName { try ProfileSetup.check("--my-name", myName) }
    }

    func run() async throws {
        try await reportingFailure {
            let invite = try await invite()
            let profile = try await setup.openOrCreate(options, name: myName)
            try await ProfileOptions.closing(profile) { profile in
                let relay = invite.inbox.relay
                let id = try await relayTimeout.wait(
                    for: profile, at: relay.address, key: relay.pin, hint: Self.kept
                ) {
                    try await profile.join(invite, name: name)
                }
                let conversation = try await profile.conversation(id)
                if options.json { return _ = JSONLine.print(ConversationReport(conversation)) }
                StandardStream.error.write("[\(Self.outcome(conversation)); the key is the one in the invite]\n")
                try await sayWhatStays(beside: conversation, in: profile)
                if noChat || !ChatLauncher.isThere {
                    StandardStream.output.write(SafeText.oneLine(conversation.name) + "\n")
                } else {
                    try await ChatLauncher.open(id, of: profile, options)
                }
            }
        }
    }

    private static let kept =
        "The invitation is kept, and sent when the profile is open again; the same command waits for it again."

    private static func outcome(_ conversation: ConversationSummary) -> String {
        let name = SafeText.name(conversation.name)
        return conversation.hasAnswer
            ? "you and \(name) can talk now"
            : "waiting for \(name) to accept; if somebody else has used up the invite, \(name) declines"
    }

    /// Says where an earlier conversation with the same person stays, because a conversation cannot move to another relay.
    private func sayWhatStays(beside conversation: ConversationSummary, in profile: Profile) async throws {
        let earlier = try await profile.conversations().first { other in
            other.contact != nil && other.contact == conversation.contact && other.id < conversation.id
                && other.isDirect && other.isUsable
        }
        guard let earlier else { return }
        StandardStream.error.say(
            "your earlier conversation with \(name: earlier.name), \(own: earlier.reference), stays at its relay, \(earlier.relay); the name means the new one from now on"
        )
    }

    private func invite() async throws -> Invite {
        do {
            return try Invite(line: try await text())
        } catch let error as InviteError {
            throw Failure(message: error.description)
        }
    }

    private func text() async throws -> String {
        if let line, line != "-" { return line }
        if line == nil {
            guard let prompt = Prompt() else {
                throw Failure(
                    message: "there is no invite; give the line, or - to read it from standard input",
                    code: .validationFailure)
            }
            defer { prompt.close() }
            return try await prompt.ask("The invite (paste it):", isShown: true)
        }
        // The invite may have several lines, because a mail program may have broken it.
        let lines = LineReader()
        var text = ""
        while let line = await lines.next(), text.utf8.count <= ClientLimits.invite { text += line }
        return text
    }
}
