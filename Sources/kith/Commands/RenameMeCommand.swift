import ArgumentParser
import KithClient

/// `kith rename-me`: changes the user's own name.
struct RenameMeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename-me",
        abstract: "Change your own name, as others see it.",
        discussion: """
            The people in your conversations learn the new name when this profile is next
            open and the relay is there (kith chat, kith listen). Their list follows, unless
            they gave you a name of their own. A name at a relay (kith register) stays.

            EXAMPLES
              kith rename-me robert
              kith rename-me "Robert Smith"

            JSON
              One object: name, fingerprint.

            EXIT CODES
              0  renamed    1  a contact has the name
              5  another process has the profile open
              64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: "The new name.")
    var name: String

    func validate() throws { try ProfileSetup.check("The new name", name) }

    func run() async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                try await profile.renameUser(to: name)
                let identity = await profile.identity()
                if options.json {
                    JSONLine.print(Renamed(name: identity.name, fingerprint: "\(identity.accountKey.fingerprint)"))
                } else {
                    StandardStream.error.say(
                        "you are called \(name: identity.name) now; others learn it when this profile is next connected"
                    )
                }
            }
        }
    }

    private struct Renamed: Encodable {
        let name: String
        let fingerprint: String
    }
}
