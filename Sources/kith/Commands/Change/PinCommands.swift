import ArgumentParser
import KithClient

/// `kith pin`: pins a message, or lists the pinned messages.
struct PinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin",
        abstract: "Pin a message for all members, or list the pinned messages.",
        discussion: """
            Up to \(ClientLimits.pins) messages of a conversation are pinned. One more removes the oldest pin.

            EXAMPLES
              kith pin bob 12
              kith pin bob 12 --remove
              kith pin bob                     lists the pinned messages

            JSON
              One object for each message, as kith history prints it.

            \(MessageChangeOptions.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The contact or the group; '#3' is conversation number 3.")
    var name: String

    @Argument(help: ArgumentHelp("The message's number in kith history; -1 is the newest.", valueName: "number"))
    var number: MessageNumber?

    @Flag(name: .long, help: "Remove the message's pin.")
    var remove = false

    func validate() throws {
        if remove, number == nil { throw ValidationError("--remove needs the number of a message.") }
    }

    func run() async throws {
        try await reportingFailure {
            guard let number else { return try await list() }
            var target = MessageChangeOptions()
            (target.options, target.relayTimeout, target.name, target.number) = (options, relayTimeout, name, number)
            try await target.make(.pin(!remove))
        }
    }

    private func list() async throws {
        try await options.withOpenForReading { profile in
            let conversation = try await NamedTarget.conversation(name, in: profile)
            let renderer = MessageRenderer(
                me: await profile.identity().name, memberCount: conversation.memberCount,
                layout: .record(conversation: nil))
            for message in try await profile.pinnedMessages(in: conversation.id) {
                if options.json {
                    guard JSONLine.print(MessageReport(message, in: conversation.name)) else { return }
                } else {
                    for line in renderer.lines(message)
                    where !StandardStream.output.write(line.painted(.ofOutput) + "\n") {
                        return
                    }
                }
            }
        }
    }
}
