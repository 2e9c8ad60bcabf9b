import ArgumentParser
import KithClient

/// `kith explain`: explains one entry of a conversation.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell the whole story of one entry of a conversation.",
        discussion: """
            EXAMPLES
              kith explain bob 12              entry 12, by its number in kith history
              kith explain bob -1              the newest message
              kith explain bob 12 --json

            JSON
              One object: conversation, conversationName, seq, story (sentences).

            EXIT CODES
              0  printed    1  no such conversation or entry    64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The contact or the group; '#3' is conversation number 3.")
    var name: String

    @Argument(help: ArgumentHelp("The entry's number; -1 is the newest message.", valueName: "number"))
    var number: MessageNumber

    func run() async throws {
        try await reportingFailure {
            try await options.withOpenForReading { profile in
                let conversation = try await NamedTarget.conversation(name, in: profile)
                let story: [Sentence]
                let seq = try await number.seq(in: conversation, of: profile)
                do { story = try await profile.explain(seq, in: conversation.id) } catch KithError.notFound {
                    throw Failure("this device has no entry \(seq) of \(name: conversation.name)")
                }
                if options.json {
                    JSONLine.print(
                        Story(
                            conversation: conversation.id.rawValue, conversationName: conversation.name, seq: seq,
                            story: story.map(\.description)))
                } else {
                    for sentence in story { StandardStream.output.write(SafeText.oneLine(sentence.description) + "\n") }
                }
            }
        }
    }

    private struct Story: Encodable {
        let conversation: UInt64
        let conversationName: String
        let seq: UInt64
        let story: [String]
    }
}
