import ArgumentParser
import KithClient

/// `kith group leave`: leaves a group or another conversation.
struct GroupLeaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave",
        abstract: "Leave a group or another conversation. Its messages stay on this device.",
        discussion: """
            On a terminal, the command asks first; --yes skips the question.

            EXAMPLES
              kith group leave "book club"
              kith group leave "book club" --yes

            JSON
              One object, as kith list prints it.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @OptionGroup var consent: Consent

    @Argument(help: "The group.")
    var group: String

    func run() async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let conversation = try await NamedTarget.conversation(group, in: profile)
                try await consent.get("Leave \(name: conversation.name) for good?", otherwise: "you did not leave")
                let later = "The request is sent; another member's device removes this one when it is online"
                try await relayTimeout.wait(for: profile, at: conversation.relay, hint: later) {
                    try await profile.leave(conversation.id)
                }
                try await GroupCommand.report(
                    conversation.id, of: profile, options, saying: "you left \(name: conversation.name)")
            }
        }
    }
}
