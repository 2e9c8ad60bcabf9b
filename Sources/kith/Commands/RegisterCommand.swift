import ArgumentParser
import KithClient
import KithWire

/// `kith register`: takes a name at a relay.
struct RegisterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Take a name at a relay, so that whoever asks there finds you.",
        discussion: """
            First come, first served. Whoever uses the relay can look the name up, write to you, and see your key; the relay \
            learns that the name is yours. A name has letters a to z, digits, and . _ - in it.

            EXAMPLES
              kith register alice  at the relay of your latest conversation
              kith register alice --relay relay.example.org:7443

            JSON
              One object: name, relay.

            EXIT CODES
              0  it is yours
              1  failed, said in one line (somebody has it)
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
                        "[at \(point.address) you are \(name.text) now: kith lookup \(name.text) finds you]\n")
                }
            }
        }
    }

    private struct Registered: Encodable {
        let name: String
        let relay: String
    }
}
