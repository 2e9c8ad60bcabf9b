import ArgumentParser
import KithClient

/// `kith search`: finds messages that meet the given conditions.
struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find messages that meet all the conditions, the newest first.",
        discussion: """
            Ignores case. Searches this device only, and sends nothing. The numbers of the messages work in kith \
            react, edit, delete, pin and explain, and with kith send --reply-to.

            CONDITIONS
              WORD              the text, or the name of a file, contains it
              from:bob          written by bob; from:me by you
              in:"book club"    in this conversation
              after:2026-11-01  sent on this day or later
              before:2026-12-01 sent before this day
              has:file          with a file

            EXAMPLES
              kith search backup failed
              kith search in:bob invoice
              kith search from:bob after:2026-11-01 has:file
              kith search --json invoice | jq -r .text

            JSON
              One object a line, as kith history prints it.

            EXIT CODES
              0  found
              1  nothing found, or an error (a damaged entry is not searched)
              64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The words and conditions.")
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
                let terms = try SearchTerms(words)
                var place: ConversationID?
                if let conversation = terms.conversationName ?? conversation {
                    place = try await NamedTarget.conversation(conversation, in: profile).id
                }
                let me = await profile.identity().name
                let search = try terms.search(in: place, me: me, contacts: await profile.contacts())
                let messages = try await profile.search(search, limit: limit)
                guard !messages.isEmpty else {
                    try Damage.report(await profile.damage(), "not searched")
                    throw ExitCode.failure
                }
                let conversations = Dictionary(
                    try await profile.conversations().map { ($0.id, $0) }, uniquingKeysWith: { $1 })
                let features = TerminalFeatures.ofOutput
                for message in messages {
                    let conversation = conversations[message.conversation]
                    let name = conversation?.name ?? "#\(message.conversation.rawValue)"
                    if options.json {
                        guard JSONLine.print(MessageReport(message, in: name)) else { return }
                    } else {
                        let renderer = MessageRenderer(
                            me: me, memberCount: conversation?.memberCount ?? 2, layout: .record(conversation: name))
                        for line in renderer.lines(message)
                        where !StandardStream.output.write(line.painted(features) + "\n") { return }
                    }
                }
            }
        }
    }
}
