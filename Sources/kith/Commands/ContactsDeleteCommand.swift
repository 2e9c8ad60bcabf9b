import ArgumentParser
import KithClient

extension ContactsCommand {
    /// `kith contacts delete`: deletes a contact from this device.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a contact from this device.",
            discussion: """
                Refused while an open conversation has the person as a member. The contact's
                messages stay, without the name: kith group delete deletes a conversation. The
                device forgets the contact's key, and that the contact was blocked. On a
                terminal, the command asks first; --yes skips the question.

                EXAMPLES
                  kith contacts delete bob
                  kith contacts delete bob --yes

                JSON
                  One object, as kith contacts --json prints it: the deleted contact.

                EXIT CODES
                  0  deleted
                  1  no such contact, or a member of an open conversation
                  5  another process has the profile open
                  64  wrong usage
                  130  you said no
                """)

        @OptionGroup var options: ProfileOptions
        @OptionGroup var consent: Consent

        @Argument(help: "The contact.")
        var name: String

        func run() async throws {
            try await reportingFailure {
                try await options.withOpen { profile in
                    let contact = try await NamedTarget.contact(name, in: profile)
                    try await consent.get(
                        "Delete the contact \(name: contact.name) from this device?", otherwise: "nothing was deleted")
                    try await profile.delete(contact.id)
                    if options.json {
                        JSONLine.print(ContactReport(contact))
                    } else {
                        StandardStream.error.say("deleted the contact \(name: contact.name)")
                    }
                }
            }
        }
    }
}
