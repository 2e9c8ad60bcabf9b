import ArgumentParser
import KithClient

/// `kith requests`: lists the conversations that strangers began, and decides about them.
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
                  One object a line, as kith list prints it.

                EXIT CODES
                  0  listed    1  no profile, or it can't be read    64  wrong usage
                """)

        @OptionGroup var options: ProfileOptions

        func run() async throws {
            try await reportingFailure {
                let (requests, contacts) = try await options.withOpenForReading { profile in
                    (try await profile.conversations().filter(\.isPending), await profile.contacts())
                }
                if options.json {
                    for request in requests { JSONLine.print(ConversationReport(request)) }
                } else if requests.isEmpty {
                    StandardStream.error.say("no requests")
                } else {
                    for request in requests {
                        for line in Self.lines(request, contacts) { StandardStream.output.write(line + "\n") }
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

        @Argument(help: "The person or the group; #3 is conversation number 3.")
        var name: String

        func run() async throws {
            try await RequestsCommand.decide(name, options, saying: "accepted") { try await $0.accept($1.id) }
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

        @Argument(help: "The person or the group; #3 is conversation number 3.")
        var name: String

        func run() async throws {
            try await RequestsCommand.decide(name, options, saying: "ignored") { try await $0.leave($1.id) }
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

        @Argument(help: "The person or the group; #3 is conversation number 3.")
        var name: String

        func run() async throws {
            try await RequestsCommand.decide(name, options, saying: "blocked") { profile, request in
                guard let inviter = request.inviter else { return try await profile.leave(request.id) }
                try await profile.setBlocked(inviter, true)
            }
        }
    }

    /// Decides about a request, and prints the decision.
    private static func decide(
        _ name: String, _ options: ProfileOptions, saying word: String,
        _ decide: (Profile, ConversationSummary) async throws -> Void
    ) async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let request = try await NamedTarget.conversation(name, in: profile)
                guard request.isPending else { throw Failure("\(name: request.name) is no request") }
                try await decide(profile, request)
                try await GroupCommand.report(
                    request.id, of: profile, options, saying: "\(own: word) \(name: request.name)")
            }
        }
    }
}
