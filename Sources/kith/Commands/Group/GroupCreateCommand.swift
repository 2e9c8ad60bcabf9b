import ArgumentParser
import KithClient

/// `kith group create`: creates a group.
struct GroupCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a group.",
        discussion: """
            EXAMPLES
              kith group create "book club" bob carol
              kith group create team bob --relay relay.example.org:7443 --json

            JSON
              One object, as kith list prints it.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relay: RelayChoice
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The group's name. All members see it.")
    var title: String

    @Argument(help: "The contacts to begin with.")
    var members: [String]

    func validate() throws { try GroupCommand.check(title: title) }

    func run() async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let contacts = try await GroupCommand.contacts(members, in: profile)
                let point = try await relay.point(for: profile, within: relayTimeout.limit)
                let id = try await relayTimeout.wait(for: profile, at: point.address, hint: GroupCommand.later) {
                    try await profile.createGroup(title, at: point, members: contacts.map(\.id))
                }
                let names = contacts.map { "\(name: $0.name)" as Sentence }.joined(separator: ", ")
                try await GroupCommand.report(id, of: profile, options, saying: "\(name: title): you, \(names)")
                let conversations = try await profile.conversations()
                guard !options.json, let new = conversations.first(where: { $0.id == id }),
                    conversations.contains(where: { $0.id != id && $0.isUsable && $0.name == new.name })
                else { return }
                StandardStream.error.say(
                    "another conversation is called \(name: new.name), too; in commands, write \(own: new.reference) for this one"
                )
            }
        }
    }
}
