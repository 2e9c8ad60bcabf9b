import ArgumentParser
import KithClient

/// `kith react`: reacts to a message.
struct ReactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "react",
        abstract: "React to a message with an emoji, or take your reaction back.",
        discussion: """
            Each member has one reaction to a message; another one replaces it.

            EXAMPLES
              kith react bob 12 👍
              kith react bob -1 🎉             the newest message
              kith react bob 12 --remove

            JSON
              One object, as kith history prints it: the message with its reactions.

            \(MessageChangeOptions.exitCodes)
            """)

    @OptionGroup var target: MessageChangeOptions

    @Argument(help: "One emoji, or one other character.")
    var reaction: String?

    @Flag(name: .long, help: "Take your reaction back.")
    var remove = false

    func validate() throws {
        if remove == (reaction != nil) { throw ValidationError("Give one emoji, or --remove.") }
    }

    func run() async throws {
        try await reportingFailure { try await target.make(.reaction(reaction)) }
    }
}
