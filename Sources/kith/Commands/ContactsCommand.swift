import ArgumentParser
import KithClient

/// `kith contacts`: lists the people that the profile knows.
struct ContactsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contacts",
        abstract: "List, show, rename, block or delete your contacts.",
        discussion: """
            EXAMPLES
              kith contacts                          all of them
              kith contacts show bob                 one, with key and conversations
              kith contacts rename bob "Bob Smith"   others do not see the name
              kith contacts block bob                drop what bob sends
              kith contacts delete bob               forget bob

            EXIT CODES
              0  done
              1  no such contact, or the name is taken
              64  wrong usage
            """,
        subcommands: [List.self, Show.self, Rename.self, Block.self, Unblock.self, Delete.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List your contacts.",
            discussion: """
                EXAMPLES
                  kith contacts
                  kith contacts --json | jq -r 'select(.verified | not) | .name'

                JSON
                  One object a line: contact, name, verified, trust (unverified, usedMyInvite,
                  invite, compared), fingerprint, conflictingFingerprint, registeredName,
                  reachable, blocked, request (a private text that waits for your decision).

                EXIT CODES
                  0  listed    1  no profile, or it can't be read    64  wrong usage
                """)

        @OptionGroup var options: ProfileOptions

        func run() async throws {
            try await reportingFailure {
                let contacts = try await options.withOpenForReading { await $0.contacts() }
                if options.json {
                    for contact in contacts { JSONLine.print(ContactReport(contact)) }
                } else if contacts.isEmpty {
                    StandardStream.error.write("[no contacts yet: kith host, kith invite, kith join]\n")
                } else {
                    let rows = contacts.map { contact in
                        [
                            SafeText.name(contact.name), contact.trust.sentence.description, Self.state(contact),
                        ]
                    }
                    for line in Columns.lines(rows) { StandardStream.output.write(line + "\n") }
                }
            }
        }

        private static func state(_ contact: Contact) -> String {
            if contact.isBlocked { return "blocked" }
            return contact.conflictingKey == nil ? "" : "ANOTHER KEY: kith verify \(SafeText.name(contact.name))"
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a contact: key, trust and conversations.",
            discussion: """
                EXAMPLES
                  kith contacts show bob
                  kith contacts show bob --json

                JSON
                  One object, as kith contacts --json prints it.

                EXIT CODES
                  0  shown    1  no such contact    64  wrong usage
                """)

        @OptionGroup var options: ProfileOptions

        @Argument(help: "The contact.")
        var name: String

        func run() async throws {
            try await reportingFailure {
                try await options.withOpenForReading { profile in
                    let contact = try await NamedTarget.contact(name, in: profile)
                    if options.json { return _ = JSONLine.print(ContactReport(contact)) }
                    let shared = try await profile.conversations().filter { $0.contact == contact.id }
                    for line in Columns.lines(Self.rows(contact, shared)) { StandardStream.output.write(line + "\n") }
                }
            }
        }

        private static func rows(_ contact: Contact, _ conversations: [ConversationSummary]) -> [[String]] {
            var rows = [
                ["name", SafeText.name(contact.name)], ["key", contact.accountKey.fingerprint.description],
                ["trust", contact.trust.sentence.description],
            ]
            if let key = contact.conflictingKey {
                rows.append(["another key", "\(key.fingerprint) (kith verify \(SafeText.name(contact.name)))"])
            }
            if contact.isBlocked {
                rows.append(["blocked", "yes: kith contacts unblock \(SafeText.name(contact.name))"])
            }
            if let name = contact.registeredName { rows.append(["name at the relay", name.text]) }
            rows.append(["new conversations", contact.inbox == nil ? "not possible: ask for an invite" : "possible"])
            for conversation in conversations {
                rows.append(["conversation", "#\(conversation.id.rawValue): \(conversation.status.sentence)"])
            }
            return rows
        }
    }

    struct Rename: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Rename a contact. Only this profile sees the name.",
            discussion: """
                EXAMPLES
                  kith contacts rename bob "Bob Smith"

                EXIT CODES
                  0  done
                  1  no such contact, or the name is taken
                  5  another process has the profile open
                  64  wrong usage
                """)

        @OptionGroup var options: ProfileOptions

        @Argument(help: "The contact.")
        var name: String

        @Argument(help: "The new name.")
        var newName: String

        func validate() throws { try ProfileSetup.check("The new name", newName) }

        func run() async throws {
            try await reportingFailure {
                try await options.withOpen { profile in
                    let contact = try await NamedTarget.contact(name, in: profile)
                    try await profile.rename(contact.id, to: newName)
                    if options.json {
                        JSONLine.print(ContactReport(try await NamedTarget.contact(newName, in: profile)))
                    } else {
                        StandardStream.output.write(
                            "\(SafeText.name(contact.name)) is \(SafeText.name(newName)) now\n")
                    }
                }
            }
        }
    }
}
