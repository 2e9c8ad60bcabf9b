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
              One object, as kith history prints it: the message before its deletion.

            EXIT CODES
              0  deleted, or queued to be deleted for everyone
              1  no such message, or not yours
              5  another process has the profile open
              64  wrong usage
              130  you decided against it
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var consent: Consent

    @Flag(name: .long, help: "Delete the message on this device only.")
    var here = false

    @Argument(help: "The contact or the group; #3 is conversation number 3.")
    var name: String

    @Argument(help: ArgumentHelp("The message's number, as kith history shows it.", valueName: "number"))
    var seq: UInt64

    func run() async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let conversation = try await NamedTarget.conversation(name, in: profile)
                guard seq > 0, seq < UInt64(Int64.max),
                    let message = try await profile.messages(in: conversation.id, after: seq - 1, limit: 1).first,
                    message.seq == seq
                else { throw Failure("there is no message \(seq) in \(name: conversation.name) (kith history)") }
                let place: Sentence = here ? "on this device" : "on the devices of all members"
                try await consent.get("Delete message \(seq) \(place)?", otherwise: "nothing was deleted")
                if here {
                    try await profile.deleteHere(seq, in: conversation.id)
                } else {
                    try await profile.deleteForEveryone(seq, in: conversation.id)
                }
                if options.json {
                    JSONLine.print(MessageReport(message, in: conversation.name))
                } else {
                    StandardStream.error.say(
                        here ? "deleted message \(seq)" : "message \(seq) will be deleted for everyone")
                }
            }
        }
    }
}
