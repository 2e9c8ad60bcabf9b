import ArgumentParser
import KithClient
import KithWire

/// `kith lookup`: finds a person by a name at a relay.
struct LookupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lookup",
        abstract: "Find the person with a name at a relay, and add them as a contact.",
        discussion: """
            The key comes from the relay, which could lie. The contact is unverified until you compare safety numbers \
            (kith verify).

            EXAMPLES
              kith lookup bob
              kith lookup bob --relay relay.example.org:7443
              kith lookup bob --as "Bob Smith"
              kith lookup bob && kith send bob hello

            JSON
              One object, as kith contacts prints it.

            EXIT CODES
              0  found    1  error (for example, nobody has the name)
              3  the relay, or the contact, has another key than before
              4  the relay was not reached in time
              5  another process has the profile open
              64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relay: RelayChoice
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The name at the relay.", transform: Name.read)
    var name: Name

    @Option(name: .long, help: ArgumentHelp("Your name for the contact.", valueName: "name"))
    var `as`: String?

    func validate() throws {
        if let `as` { try ProfileSetup.check("--as", `as`) }
    }

    func run() async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let point = try await relay.point(for: profile, within: relayTimeout.limit)
                let id: ContactID
                do {
                    id = try await relayTimeout.wait(for: profile, at: point.address, hint: RelayTimeoutOption.runAgain)
                    {
                        try await profile.lookUp(name, at: point, as: `as`)
                    }
                } catch KithError.nameTaken(let taken) {
                    throw Failure(
                        message:
                            "your contact \(ForeignText(taken)) has another key; to keep both, name the new contact with --as"
                    )
                }
                guard let contact = await profile.contacts().first(where: { $0.id == id }) else { return }
                if options.json { return _ = JSONLine.print(ContactReport(contact)) }
                let note: Sentence =
                    contact.trust.isVerified
                    ? contact.trust.sentence
                    : "the key came from the relay and is unverified: kith verify \(name: contact.name)"
                StandardStream.error.say("\(name: contact.name): \(note)")
            }
        }
    }
}
