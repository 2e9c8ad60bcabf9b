import ArgumentParser
import KithClient

/// `kith group add`: adds members to a group.
struct GroupAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add members, or add a member's new device.",
        discussion: """
            EXAMPLES
              kith group add "book club" dave
              kith group add "book club" dave erin

            JSON
              One object, as kith list prints it.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The group.")
    var group: String

    @Argument(help: "The contacts to add.")
    var members: [String]

    func run() async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let conversation = try await NamedTarget.conversation(group, in: profile)
                let contacts = try await GroupCommand.contacts(members, in: profile)
                try await relayTimeout.wait(for: profile, at: conversation.relay, hint: GroupCommand.later) {
                    try await profile.add(contacts.map(\.id), to: conversation.id)
                }
                let names = contacts.map { "\(name: $0.name)" as Sentence }.joined(separator: ", ")
                try await GroupCommand.report(conversation.id, of: profile, options, saying: "added \(names)")
            }
        }
    }
}
