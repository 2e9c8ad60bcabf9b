import ArgumentParser
import KithClient

/// `kith group members`: lists the members of a group.
struct GroupMembersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members",
        abstract: "List the members of a group or another conversation.",
        discussion: """
            EXAMPLES
              kith group members "book club"
              kith group members "book club" --json | jq -r .name

            JSON
              One object a line: contact (missing for yourself), name, device, isMe,
              verified, trust.

            EXIT CODES
              0  listed    1  no such group    64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The group.")
    var group: String

    func run() async throws {
        try await reportingFailure {
            let members = try await options.withOpenForReading { profile in
                try await profile.members(of: try await NamedTarget.conversation(group, in: profile).id)
            }
            if options.json {
                for member in members { JSONLine.print(MemberReport(member)) }
            } else {
                let rows = members.map { member in
                    [
                        SafeText.name(member.name), SafeText.name(member.deviceName),
                        member.isMe ? "you" : member.trust.sentence.description,
                    ]
                }
                for line in Columns.lines(rows) { StandardStream.output.write(line + "\n") }
            }
        }
    }
}
