import ArgumentParser
import KithClient

/// `kith list`: lists the conversations.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List your conversations, the latest first.",
        discussion: """
            Reads this device only, and asks no relay. A conversation that has ended, or that
            all others have left, leaves the list once its messages are read; an archived one
            stays out until a message arrives.

            EXAMPLES
              kith list
              kith list --all                  ended and archived conversations too
              kith list --unread               only those with unread messages
              kith list --json | jq -r .name

            JSON
              One object a line: conversation, name, isGroup, status, statusText, members,
              unread, lastSeq, lastActivity, relay, suspect, pending (a stranger began it,
              and you have not accepted), inviting (an invitation has not reached an inbox
              yet), answered (another member has written to it), archived, muted; of a
              request: inviter (the contact who began it), firstLines.

            EXIT CODES
              0  listed    1  no profile, or it can't be read    64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions

    @Flag(name: .long, help: "List only conversations with unread messages.")
    var unread = false

    @Flag(name: .long, help: "List ended and archived conversations too.")
    var all = false

    func run() async throws {
        try await reportingFailure {
            let known = try await options.withOpenForReading { try await $0.conversations() }
            let conversations = known.filter { unread ? $0.unread > 0 : all || $0.isListed }
            if options.json {
                for conversation in conversations { JSONLine.print(ConversationReport(conversation)) }
            } else if known.isEmpty || conversations.isEmpty && unread {
                StandardStream.error.write(
                    unread
                        ? "[there are no unread messages]\n"
                        : "[no conversations yet: kith host, kith invite, kith join]\n")
            } else {
                for line in Columns.lines(conversations.map(Self.row)) { StandardStream.output.write(line + "\n") }
                let hidden = known.count - conversations.count
                if hidden > 0, !unread {
                    StandardStream.error.say(
                        "\(own: counted(hidden, "ended or archived conversation")) not shown: kith list --all")
                }
            }
        }
    }

    private static func row(_ conversation: ConversationSummary) -> [String] {
        var state: [String] = []
        if conversation.unread > 0 { state.append("\(conversation.unread) unread") }
        if conversation.status != .active {
            state.append(conversation.status.sentence.description)
        } else if conversation.isPending {
            state.append("request of a new person: kith requests")
        } else if conversation.isLeftAlone {
            state.append(MembershipProblem.leftAlone.sentence.description)
        } else if conversation.memberCount < 2 {
            state.append("nobody has been added yet")
        } else if conversation.isInviting {
            state.append("an invitation is on its way")
        } else if !conversation.hasAnswer {
            state.append("invited; no answer yet")
        }
        if conversation.isArchived { state.append("archived") }
        if conversation.isMuted { state.append("muted") }
        if conversation.isSuspect { state.append("the relay showed different logs (kith explain)") }
        return [
            "#\(conversation.id.rawValue)", SafeText.name(conversation.name),
            !conversation.isDirect ? "group of \(conversation.memberCount)" : "",
            conversation.lastActivityMs == 0 ? "" : Timestamp(ms: conversation.lastActivityMs).local,
            state.joined(separator: "; "),
        ]
    }
}
