import ArgumentParser
import Foundation
import KithClient

/// `kith import`: creates a profile from a backup.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a profile from a backup: a new device of the same account.",
        discussion: """
            Your name, key, contacts and messages are available at once. You can't write in a conversation until one of \
            its members has added the new device:

              kith invite                  here; pass the line on to a contact
              kith join LINE               there: your conversation with them continues
              kith group add GROUP YOU     there, or by any other member, for each group

            The old device, if it still exists, is removed from a conversation when the new one is added.

            EXAMPLES
              kith import kith.backup                             asks for the passphrase
              kith import kith.backup --passphrase-file pw --yes  asks nothing
              kith import kith.backup --profile restored          beside your profile

            JSON
              One object: profile, folder, name, device, fingerprint, conversations,
              contacts.

            EXIT CODES
              0    made
              1    error (for example, the profile exists)
              64   wrong usage
              130  ctrl-C at a question
            """)

    @OptionGroup var options: ProfileOptions
    @OptionGroup var setup: ProfileSetup

    @Argument(help: ArgumentHelp("The backup.", valueName: "file"))
    var file: String

    @Option(name: .long, help: ArgumentHelp("A file with the passphrase of the backup.", valueName: "file"))
    var passphraseFile: String?

    func run() async throws {
        try await reportingFailure {
            if try await options.exists { throw KithError.profileExists }
            guard FileManager.default.fileExists(atPath: file) else {
                throw Failure(message: "there is no file \(file)")
            }
            // All questions use one prompt, so that text typed between two questions stays hidden.
            let prompt = Prompt()
            defer { prompt?.close() }
            // The backup's passphrase is asked for first. If it is wrong, no passphrase for the new profile is needed.
            let backup = try await open(prompt)
            let profile = try await setup.restore(options, from: backup, asking: prompt)
            try await ProfileOptions.closing(profile, report)
        }
    }

    private func open(_ prompt: Prompt?) async throws -> OpenedBackup {
        let url = URL(fileURLWithPath: file)
        if let passphraseFile {
            return try Profile.openBackup(at: url, passphrase: try Passphrase.inFile(passphraseFile))
        }
        guard let prompt else {
            throw Failure(message: "there is no terminal to ask for the backup's passphrase on; use --passphrase-file")
        }
        var attempt = 1
        while true {
            let passphrase = try await prompt.ask("Passphrase of the backup:")
            prompt.sayOneMoment()
            switch Result(catching: { () throws(KithError) in try Profile.openBackup(at: url, passphrase: passphrase) })
            {
            case .success(let backup): return backup
            case .failure(.backup(.wrongPassphrase)) where attempt < Passphrase.attempts:
                prompt.say("Wrong passphrase.")
                attempt += 1
            case .failure(let error): throw error
            }
        }
    }

    private func report(_ profile: Profile) async throws {
        let identity = await profile.identity()
        let conversations = try await profile.conversations()
        let made = Made(
            profile: options.name, folder: options.folder.path, name: identity.name, device: identity.deviceName,
            fingerprint: identity.accountKey.fingerprint.description, conversations: conversations.count,
            contacts: await profile.contacts().count)
        if options.json { return _ = JSONLine.print(made) }
        StandardStream.output.write(
            """
            You are \(SafeText.name(made.name)) again, on \(SafeText.name(made.device)).
            Your key: \(made.fingerprint)
            \(counted(made.conversations, "conversation")), \(counted(made.contacts, "contact")).
            Next: kith invite, or kith host if your relay ran on the lost machine. Pass the line
            on to a contact, who types: kith join LINE

            """)
    }

    private struct Made: Encodable {
        let profile: String
        let folder: String
        let name: String
        let device: String
        let fingerprint: String
        let conversations: Int
        let contacts: Int
    }
}
