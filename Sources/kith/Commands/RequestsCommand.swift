import ArgumentParser
import KithClient

/// `kith requests`: lists the conversations that strangers began and the private requests of group members, and decides about
/// them.
struct RequestsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requests",
        abstract: "Show who wants to talk to you, and decide.",
        discussion: """
            A conversation that a stranger begins is a request. Until you accept it, this
            device asks the relay for nothing about it, and the stranger can't tell whether
            you have seen it. kith chat accepts too. Ignoring a request declines it on this
            device; the stranger is not told.

            EXAMPLES
              kith requests                    all of them, with their first lines
              kith requests accept carol
              kith requests ignore "#4"
              kith requests block carol        ignore, and drop later requests too

            \(exitCodes)
            """,
        subcommands: [List.self, Accept.self, Ignore.self, Block.self], defaultSubcommand: List.self)

    static let exitCodes = """
        EXIT CODES
          0  done
          1  no such request
          5  another process has the profile open
          64  wrong usage
        """

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the requests, with their first lines.",
            discussion: """
                EXAMPLES
                  kith requests
                  kith requests --json | jq -r .firstLines

                JSON
                  One object a line: a conversation as kith list prints it, or a contact with
                  its request as kith contacts --json prints it.

                EXIT CODES
                  0  listed    1  no profile, or it can't be read    64  wrong usage
                """)

        @OptionGroup var options: ProfileOptions

        func run() async throws {
            try await reportingFailure {
                let (conversations, contacts) = try await options.withOpenForReading { profile in
                    (try await profile.conversations(), await profile.contacts())
                }
                let requests = conversations.filter(\.isPending)
                let people = contacts.filter { $0.groupRequest != nil }
                if options.json {
                    for request in requests { JSONLine.print(ConversationReport(request)) }
                    for contact in people { JSONLine.print(ContactReport(contact)) }
                } else if requests.isEmpty, people.isEmpty {
                    StandardStream.error.say("no requests")
                } else {
                    for request in requests {
                        for line in Self.lines(request, contacts) { StandardStream.output.write(line + "\n") }
                    }
                    for contact in people {
                        for line in Self.lines(contact, conversations) { StandardStream.output.write(line + "\n") }
                    }
                }
            }
        }

        private static func lines(_ request: ConversationSummary, _ contacts: [Contact]) -> [String] {
            let inviter = contacts.first { $0.id == request.inviter }.map { SafeText.name($0.name) } ?? "somebody"
            let place =
                request.isDirect ? "" : ", to the group \(SafeText.name(request.name)) of \(request.memberCount)"
            let text = request.firstLines.split(separator: "\n").map { "    \(SafeText.oneLine(String($0)))" }
            return ["#\(request.id.rawValue)  \(inviter)\(place)"] + text
        }

        private static func lines(_ contact: Contact, _ conversations: [ConversationSummary]) -> [String] {
            guard let request = contact.groupRequest else { return [] }
            let group = conversations.first { $0.id == request.group }.map { SafeText.name($0.name) } ?? "a group"
            let text = request.text.split(separator: "\n").map { "    \(SafeText.oneLine(String($0)))" }
            return ["\(SafeText.name(contact.name)), privately, from the group \(group)"] + text
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Accept a request.",
            discussion: """
                EXAMPLES
                  kith requests accept carol

                JSON
                  One object, as kith list prints it.

                \(RequestsCommand.exitCodes)
                """)

        @OptionGroup var options: ProfileOptions

        @Argument(help: "The person or the group; '#3' is conversation number 3.")
        var name: String

        func run() async throws {
            try await RequestsCommand.decide(name, options, saying: "accepted") {
                switch $1 {
                case .conversation(let request): try await $0.accept(request.id)
                case .contact(let contact): _ = try await $0.acceptRequest(of: contact.id)
                }
            }
        }
    }

    struct Ignore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decline a request on this device, without telling anybody.",
            discussion: """
                EXAMPLES
                  kith requests ignore carol

                JSON
                  One object, as kith list prints it.

                \(RequestsCommand.exitCodes)
                """)

        @OptionGroup var options: ProfileOptions

        @Argument(help: "The person or the group; '#3' is conversation number 3.")
        var name: String

        func run() async throws {
            try await RequestsCommand.decide(name, options, saying: "ignored") {
                switch $1 {
                case .conversation(let request): try await $0.leave(request.id)
                case .contact(let contact): try await $0.ignoreRequest(of: contact.id)
                }
            }
        }
    }

    struct Block: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decline a request, and block the person.",
            discussion: """
                EXAMPLES
                  kith requests block carol

                JSON
                  One object, as kith list prints it.

                \(RequestsCommand.exitCodes)
                """)

        @OptionGroup var options: ProfileOptions

        @Argument(help: "The person or the group; '#3' is conversation number 3.")
        var name: String

        func run() async throws {
            try await RequestsCommand.decide(name, options, saying: "blocked") { profile, request in
                switch request {
                case .conversation(let conversation):
                    guard let inviter = conversation.inviter else { return try await profile.leave(conversation.id) }
                    try await profile.setBlocked(inviter, true)
                case .contact(let contact): try await profile.setBlocked(contact.id, true)
                }
            }
        }
    }

    /// Decides about a request, and prints the decision.
    private static func decide(
        _ name: String, _ options: ProfileOptions, saying word: String,
        _ decide: (Profile, NamedTarget) async throws -> Void
    ) async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let people = await profile.contacts().filter { $0.groupRequest != nil }
                let request: NamedTarget
                let shown: String
                if let contact = try NamedTarget.contact(name, among: people) {
                    (request, shown) = (.contact(contact), contact.name)
                } else {
                    let conversation = try await NamedTarget.conversation(name, in: profile)
                    guard conversation.isPending else { throw Failure("\(name: conversation.name) is no request") }
                    (request, shown) = (.conversation(conversation), conversation.name)
                }
                try await decide(profile, request)
                switch request {
                case .conversation(let conversation):
                    try await GroupCommand.report(
                        conversation.id, of: profile, options, saying: "\(own: word) \(name: shown)")
                case .contact(let contact):
                    if options.json {
                        JSONLine.print(ContactReport(try await NamedTarget.contact(contact.name, in: profile)))
                    } else {
                        StandardStream.error.say("\(own: word) \(name: shown)")
                    }
                }
            }
        }
    }
}
