import ArgumentParser
import KithClient

/// `kith history`: prints the last messages of a conversation.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Print the end of a conversation, as this device has it.",
        discussion: """
            Each line begins with the time, by your clock, and the entry's number in the conversation's log, which \
            --before and kith explain take. Behind your own messages, [read], or [read by 2] in a group, tells who has \
            read them; kith explain names the members. Marks nothing as read, and asks no relay.

            EXAMPLES
              kith history bob
              kith history bob --limit 1000
              kith history bob --before 120          the lines before entry 120
              kith history "the group" --json | jq -r .text

            JSON
              One object a line: conversation, conversationName, id, seq (missing while it
              waits to be sent), author (me, contact, kith), name, contact, verified, text
              or notice or unknownKind, files (number, name, type, size; text is then
              their caption), sentAt, replyTo, delivery (queued, onRelay, read),
              readBy, readers (contacts), warnings.

            EXIT CODES
              0  printed
              1  no such conversation, or a part can't be read (a damaged entry is shown
                 as such)
              64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The contact or the group; '#3' is conversation number 3.")
    var name: String

    @Option(name: .long, help: "Maximum number of lines; prints the last ones.")
    var limit = 100

    @Option(name: .long, help: ArgumentHelp("Print only lines before this entry.", valueName: "seq"))
    var before: UInt64?

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit takes 1 or more.") }
    }

    func run() async throws {
        try await reportingFailure {
            try await options.withOpenForReading { profile in
                let conversation = try await NamedTarget.conversation(name, in: profile)
                let messages = try await profile.history(of: conversation.id, before: before, limit: limit)
                let renderer = MessageRenderer(
                    me: await profile.identity().name, memberCount: conversation.memberCount,
                    layout: .record(conversation: nil))
                let features = TerminalFeatures.ofOutput
                for message in messages {
                    if options.json {
                        guard JSONLine.print(MessageReport(message, in: conversation.name)) else { return }
                    } else {
                        for line in renderer.lines(message)
                        where !StandardStream.output.write(line.painted(features) + "\n") { return }
                    }
                }
            }
        }
    }
}
