import ArgumentParser
import KithClient
import KithWire

/// `kith register`: registers a name at a relay.
struct RegisterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Register a name at a relay, so that people find you there.",
        discussion: """
            First come, first served. Every user of the relay can look the name up, see your key, and write to you. The \
            relay learns that the name is yours. A name consists of the letters a to z, digits, and . _ -.

            EXAMPLES
              kith register alice  at the relay of your latest conversation
              kith register alice --relay relay.example.org:7443

            JSON
              One object: name, relay.

            EXIT CODES
              0  it is yours
              1  error (for example, the name is taken)
              3  the relay has another key
              4  the relay was not reached in time
              5  another process has the profile open
              6  the relay has no room
              64  wrong usage
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var relay: RelayChoice
    @OptionGroup var relayTimeout: RelayTimeoutOption

    @Argument(help: "The name.", transform: Name.read)
    var name: Name

    func run() async throws {
        try await reportingFailure {
            try await options.withOpen { profile in
                let point = try await relay.point(for: profile, within: relayTimeout.limit)
                try await relayTimeout.wait(for: profile, at: point.address, hint: RelayTimeoutOption.runAgain) {
                    try await profile.register(name, at: point)
                }
                if options.json {
                    JSONLine.print(Registered(name: name.text, relay: point.address.description))
                } else {
                    StandardStream.error.write(
                        "[your name at \(point.address) is \(name.text) now; kith lookup \(name.text) finds you]\n")
                }
            }
        }
    }

    private struct Registered: Encodable {
        let name: String
        let relay: String
    }
}
