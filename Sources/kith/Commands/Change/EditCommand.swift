import ArgumentParser
import KithClient

/// `kith edit`: replaces the text of one of the user's own messages.
struct EditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit",
        abstract: "Replace the text of a message that you have sent.",
        discussion: """
            The message keeps its place, and is marked as edited on all devices. kith explain \
            shows its earlier texts.

            EXAMPLES
              kith edit bob 12 "see you at nine"
              kith edit bob 12 < letter.txt
              kith edit bob -1 "see you at nine"

            JSON
              One object, as kith history prints it: the message with its new text.

            \(MessageChangeOptions.exitCodes)
            """)

    @OptionGroup var target: MessageChangeOptions

    @Argument(help: "The text. Without it, or with -, standard input is read.")
    var text: [String] = []

    func run() async throws {
        try await reportingFailure {
            let text = text.isEmpty || text == ["-"] ? try StandardInput.text() : text.joined(separator: " ")
            if let problem = TextRules.problem(with: text) { throw problem.failure }
            try await target.make(.edit(text))
        }
    }
}
