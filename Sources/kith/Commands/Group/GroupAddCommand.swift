import ArgumentParser
import KithClient

/// `kith group add`: adds members to a group.
struct GroupAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add members, or add a member's new device.",
        discussion: """
            To add somebody, you need the address of their device, which the two devices exchange after an invite. A \
            contact who has restored a backup has a new device with another address: ask for an invite, and use it first. \
            --again is for a member whose device has stopped following the group and asks to be added again.

            EXAMPLES
              kith group add "book club" dave
              kith group add "book club" dave erin
              kith group add "book club" dave --again   Dave's device has lost the group

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

    @Flag(name: .long, help: "Add a device again that is a member already.")
    var again = false

    func run() async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let conversation = try await NamedTarget.conversation(group, in: profile)
                let contacts = try await GroupCommand.contacts(members, in: profile)
                do {
                    try await relayTimeout.wait(for: profile, at: conversation.relay, hint: GroupCommand.later) {
                        try await profile.add(contacts.map(\.id), to: conversation.id, again: again)
                    }
                } catch KithError.membership(let problem) {
                    guard case .alreadyMember(let name, _) = problem else { throw KithError.membership(problem) }
                    throw Failure(
                        "\(problem.sentence). For a new device, ask \(name: name) for an invite, and use it. If this device asks to be added again: --again"
                    )
                }
                let names = contacts.map { "\(name: $0.name)" as Sentence }.joined(separator: ", ")
                try await GroupCommand.report(conversation.id, of: profile, options, saying: "added \(names)")
            }
        }
    }
}
