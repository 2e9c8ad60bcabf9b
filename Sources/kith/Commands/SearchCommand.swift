import ArgumentParser
import KithClient

/// `kith search`: finds what was said.
struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find messages that contain all the words, the newest first.",
        discussion: """
            Upper and lower case make no difference. Searches what this device has; nothing is sent anywhere.

            EXAMPLES
              kith search backup failed
              kith search --conversation bob invoice
              kith search --json invoice | jq -r .text

            JSON
              One object a line, as kith history prints it.

            EXIT CODES
              0  found
              1  nothing found, or something failed (said in one line; a damaged entry is
                 not searched)
              64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The words.")
    var words: [String]

    @Option(name: .long, help: ArgumentHelp("Search in this conversation only.", valueName: "name"))
    var conversation: String?

    @Option(name: .long, help: "How many messages at most.")
    var limit = 100

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit takes 1 or more.") }
        if words.allSatisfy({ TextRules.isBlank($0) }) { throw ValidationError("What are you looking for?") }
    }

    func run() async throws {
        try await reportingFailure {
            try await options.withOpenForReading { profile in
                var place: ConversationID?
                if let conversation { place = try await NamedTarget.conversation(conversation, in: profile).id }
                let messages = try await profile.search(words.joined(separator: " "), in: place, limit: limit)
                guard !messages.isEmpty else {
                    try Damage.report(await profile.damage(), "not searched")
                    throw ExitCode.failure
                }
                let names = Dictionary(
                    try await profile.conversations().map { ($0.id, $0.name) }, uniquingKeysWith: { $1 })
                let me = await profile.identity().name
                let colours = TerminalMode.wantsColours
                for message in messages {
                    let name = names[message.conversation] ?? "#\(message.conversation.rawValue)"
                    if options.json {
                        guard JSONLine.print(MessageReport(message, in: name)) else { return }
                    } else {
                        let renderer = MessageRenderer(me: me, layout: .record(conversation: name))
                        for line in renderer.lines(message)
                        where !StandardStream.output.write(line.painted(colours: colours) + "\n") { return }
                    }
                }
            }
        }
    }
}
