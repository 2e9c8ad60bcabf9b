import ArgumentParser
import KithClient

/// `kith delete`: deletes a message.
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a message, for everyone or on this device only.",
        discussion: """
            Without --here, the message must be yours, and the devices of all members delete
            it. With --here, any message is deleted, on this device only. kith group delete
            deletes a conversation. On a terminal, the command asks first; --yes skips the
            question.

            EXAMPLES
              kith delete bob 12
              kith delete "book club" 7 --here
              kith delete bob 12 --here --yes

            JSON
              One object, as kith history prints it: the deleted message.

            \(MessageChangeOptions.exitCodes)
              130  you decided against it
            """)

    @OptionGroup var target: MessageChangeOptions
    @OptionGroup var consent: Consent

    @Flag(name: .long, help: "Delete the message on this device only.")
    var here = false

    func run() async throws {
        try await reportingFailure {
            let place: Sentence = here ? "on this device" : "on the devices of all members"
            try await consent.get(
                "Delete message \(own: target.number.description) of \(name: target.name) \(place)?",
                otherwise: "nothing was deleted")
            guard here else { return try await target.make(.deletion) }
            try await target.options.withOpen { profile in
                let conversation = try await NamedTarget.conversation(target.name, in: profile)
                let message = try await target.number.message(in: conversation, of: profile)
                try await profile.deleteHere(message.seq ?? 0, in: conversation.id)
                if target.options.json {
                    JSONLine.print(MessageReport(message, in: conversation.name))
                } else {
                    StandardStream.error.say("deleted message \(message.seq ?? 0)")
                }
            }
        }
    }
}
