import ArgumentParser
import KithClient

/// `kith group add`: adds members to a group.
struct GroupAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add members, or add a member's new device.",
        discussion: """
            To add somebody, you need the address of their device, which the two devices exchange after an invite. A \
            contact who has restored a backup has a new device with another address: ask for an invite, and use it first.

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
                let before = try await profile.members(of: conversation.id)
                try await relayTimeout.wait(for: profile, at: conversation.relay, hint: GroupCommand.later) {
                    try await profile.add(contacts.map(\.id), to: conversation.id)
                }
                let names = contacts.map { "\(name: $0.name)" as Sentence }.joined(separator: ", ")
                try await GroupCommand.report(conversation.id, of: profile, options, saying: "added \(names)")
                guard !options.json else { return }
                let devices = Set(before.map(\.deviceID))
                for member in try await profile.members(of: conversation.id)
                where devices.contains(member.deviceID) && contacts.contains(where: { $0.id == member.contact }) {
                    StandardStream.error.say(
                        "\(name: member.name)'s device \(name: member.deviceName) was a member before, and was added again. If \(name: member.name) has a new device, ask \(name: member.name) for an invite, use it, and add \(name: member.name) once more"
                    )
                }
            }
        }
    }
}
