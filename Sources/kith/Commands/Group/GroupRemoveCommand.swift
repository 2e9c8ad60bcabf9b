import ArgumentParser
import KithClient

/// `kith group remove`: removes a member from a group.
struct GroupRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a member, who then can't read later messages.",
        discussion: """
            On a terminal, the command asks first; --yes skips the question.

            EXAMPLES
              kith group remove "book club" bob
              kith group remove "book club" bob --yes

            JSON
              One object, as kith list prints it.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The group.")
    var group: String

    @OptionGroup var consent: Consent

    @Argument(help: "The member.")
    var member: String

    func run() async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let conversation = try await NamedTarget.conversation(group, in: profile)
                let contact = try await NamedTarget.contact(member, in: profile)
                if !conversation.isDirect {
                    try await consent.get(
                        "Remove \(name: contact.name) from \(name: conversation.name)?",
                        otherwise: "\(name: contact.name) was not removed")
                }
                try await relayTimeout.wait(for: profile, at: conversation.relay, hint: GroupCommand.later) {
                    try await profile.remove(contact.id, from: conversation.id)
                }
                try await GroupCommand.report(
                    conversation.id, of: profile, options, saying: "removed \(name: contact.name)")
            }
        }
    }
}
