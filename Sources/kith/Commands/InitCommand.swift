import ArgumentParser
import Foundation
import KithClient

/// `kith init`: creates a profile.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make your profile: your name and keys on this device.",
        discussion: """
            Asks for your name and a passphrase. Without a passphrase, a key file beside the profile opens it, and only \
            your user can read that file. Nothing leaves this device.

            EXAMPLES
              kith init                              asks
              kith init --yes --name bot             asks nothing, and has no passphrase
              KITH_PASSPHRASE_FILE=pw kith init --yes --name server
              kith init --profile work               another profile beside the first

            EXIT CODES
              0    made
              1    error (for example, the profile exists)
              64   wrong usage
              130  ctrl-C at a question
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var setup: ProfileSetup

    @Option(name: .long, help: "Your name, as others see it. Default: your login name.")
    var name: String?

    func validate() throws {
        if let name { try ProfileSetup.check("--name", name) }
    }

    func run() async throws {
        try await reportingFailure {
            if try await options.exists { throw KithError.profileExists }
            let profile = try await setup.create(options, name: name)
            let identity = await profile.identity()
            await profile.close()
            let report = Made(
                profile: options.name, folder: options.folder.path, name: identity.name,
                device: identity.deviceName, fingerprint: identity.accountKey.fingerprint.description)
            if options.json {
                JSONLine.print(report)
            } else {
                StandardStream.output.write(
                    """
                    You are \(SafeText.name(identity.name)), on \(SafeText.name(identity.deviceName)).
                    Your key: \(report.fingerprint)
                    Next: kith host, or kith invite --relay HOST:PORT, or kith join LINE.

                    """)
            }
        }
    }

    private struct Made: Encodable {
        let profile: String
        let folder: String
        let name: String
        let device: String
        let fingerprint: String
    }
}
