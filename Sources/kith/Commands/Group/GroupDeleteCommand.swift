import ArgumentParser
import KithClient

/// `kith group delete`: deletes a conversation from this device.
struct GroupDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete an ended conversation and its messages from this device.",
        discussion: """
            The other members keep what they have. A conversation has to end first; --leave
            does both. On a terminal, the command asks first; --yes skips the question.

            EXAMPLES
              kith group delete "book club"
              kith group delete "book club" --leave
              kith group delete "#3" --yes

            JSON
              One object, as kith list prints it: the conversation before its deletion.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption
    @OptionGroup var consent: Consent

    @Flag(name: .long, help: "Leave the conversation first.")
    var leave = false

    @Argument(help: "The group, or the other person of a conversation of two.")
    var group: String

    func run() async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let conversation = try await NamedTarget.conversation(group, in: profile)
                let isOpen = conversation.isOpen
                if isOpen, !leave { throw KithError.membership(.notEnded) }
                let question: Sentence = isOpen ? "Leave \(name: conversation.name) and delete" : "Delete"
                try await consent.get(
                    "\(question) all its messages from this device?", otherwise: "nothing was deleted")
                if isOpen {
                    let later = "Nothing is deleted yet. Repeat the command when another member's device is online"
                    try await relayTimeout.wait(for: profile, at: conversation.relay, hint: later) {
                        try await profile.leave(conversation.id)
                    }
                }
                try await profile.delete(conversation.id)
                if options.json {
                    JSONLine.print(ConversationReport(conversation))
                } else {
                    StandardStream.error.say("deleted \(name: conversation.name)")
                }
            }
        }
    }
}
