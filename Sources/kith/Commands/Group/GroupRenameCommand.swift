import ArgumentParser
import KithClient

/// `kith group rename`: renames a group.
struct GroupRenameCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename",
        abstract: "Rename a group. All members see the new name.",
        discussion: """
            EXAMPLES
              kith group rename "book club" "film club"

            JSON
              One object, as kith list prints it.

            \(GroupCommand.exitCodes)
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The group.")
    var group: String

    @Argument(help: "The new name.")
    var title: String

    func validate() throws { try GroupCommand.check(title: title) }

    func run() async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let conversation = try await NamedTarget.conversation(group, in: profile)
                let events = await profile.events()
                try await relayTimeout.wait(for: profile, at: conversation.relay, hint: GroupCommand.later) {
                    try await profile.rename(conversation.id, to: title)
                    for await event in events {
                        guard case .conversation(let now) = event, now.id == conversation.id else { continue }
                        if now.name == title { return }
                        if let obstacle = now.obstacle { throw obstacle }
                    }
                    throw KithError.closed
                }
                try await GroupCommand.report(
                    conversation.id, of: profile, options, saying: "\(name: conversation.name) is \(name: title) now")
            }
        }
    }
}
