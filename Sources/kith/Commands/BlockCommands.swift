import ArgumentParser
import KithClient

// `kith contacts block` and `kith contacts unblock`.

extension ContactsCommand {
    struct Block: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Block a contact. Their messages and invitations are dropped.",
            discussion: """
                Messages, invitations and live checks of a blocked contact are dropped, also in
                groups. Changes of a group that they make still apply. Nobody is told. What was
                dropped does not come back when you unblock. Messages to the contact that wait
                on this device are not sent.

                EXAMPLES
                  kith contacts block bob
                  kith contacts --json | jq -r 'select(.blocked) | .name'

                JSON
                  One object, as kith contacts --json prints it.

                EXIT CODES
                  0  blocked    1  no such contact
                  5  another process has the profile open
                  64  wrong usage
                """)

        @OptionGroup var options: ProfileOptions

        @Argument(help: "The contact.")
        var name: String

        func run() async throws {
            try await reportingFailure { try await ContactsCommand.setBlocked(name, true, options) }
        }
    }

    struct Unblock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Receive a blocked contact's messages again.",
            discussion: """
                EXAMPLES
                  kith contacts unblock bob

                JSON
                  One object, as kith contacts --json prints it.

                EXIT CODES
                  0  unblocked    1  no such contact
                  5  another process has the profile open
                  64  wrong usage
                """)

        @OptionGroup var options: ProfileOptions

        @Argument(help: "The contact.")
        var name: String

        func run() async throws {
            try await reportingFailure { try await ContactsCommand.setBlocked(name, false, options) }
        }
    }

    private static func setBlocked(_ name: String, _ isBlocked: Bool, _ options: ProfileOptions) async throws {
        try await options.withOpen { profile in
            let contact = try await NamedTarget.contact(name, in: profile)
            let unsent = try await profile.setBlocked(contact.id, isBlocked)
            if options.json {
                JSONLine.print(ContactReport(try await NamedTarget.contact(contact.name, in: profile)))
            } else {
                StandardStream.output.write(
                    "\(SafeText.name(contact.name)) is \(isBlocked ? "blocked" : "not blocked any more")\n")
            }
            if unsent > 0 {
                let what = counted(unsent, "message that waited was", "messages that waited were")
                StandardStream.error.write("[\(what) not sent]\n")
            }
        }
    }
}
