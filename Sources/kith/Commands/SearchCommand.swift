import ArgumentParser
import KithClient

/// `kith search`: finds messages with given words.
struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find messages that contain all the words, the newest first.",
        discussion: """
            Ignores case. Searches this device only, and sends nothing.

            EXAMPLES
              kith search backup failed
              kith search --conversation bob invoice
              kith search --json invoice | jq -r .text

            JSON
              One object a line, as kith history prints it.

            EXIT CODES
              0  found
              1  nothing found, or an error (a damaged entry is not searched)
              64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The words.")
    var words: [String]

    @Option(name: .long, help: ArgumentHelp("Search this conversation only.", valueName: "name"))
    var conversation: String?

    @Option(name: .long, help: "Maximum number of messages.")
    var limit = 100

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit takes 1 or more.") }
        if words.allSatisfy({ TextRules.isBlank($0) }) {
            throw ValidationError("Give at least one word to search for.")
        }
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
