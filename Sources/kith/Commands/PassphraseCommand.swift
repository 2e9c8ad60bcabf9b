import ArgumentParser
import Foundation
import KithClient

/// `kith passphrase`: changes the profile's passphrase.
struct PassphraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passphrase",
        abstract: "Change or remove the passphrase of the profile.",
        discussion: """
            Asks for the old passphrase first, if there is one, or reads it from KITH_PASSPHRASE_FILE.

            EXAMPLES
              kith passphrase                     asks for the old and the new one
              kith passphrase --new-file new.txt  from a file that only you can read
              kith passphrase --none              a key file opens it from now on

            EXIT CODES
              0    changed
              1    error; the passphrase is unchanged
              5    another process has the profile open
              64   wrong usage
              130  ctrl-C at a question
            """)

    @OptionGroup var options: ProfileOptions

    @Option(name: .long, help: ArgumentHelp("A file with the new passphrase.", valueName: "file"))
    var newFile: String?

    @Flag(name: .long, help: "No passphrase: a key file beside the profile opens it.")
    var none = false

    func validate() throws {
        if none, newFile != nil { throw ValidationError("--none and --new-file exclude each other.") }
    }

    func run() async throws {
        try await reportingFailure {
            // All questions use one prompt, so that text typed between two questions stays hidden.
            let prompt = Prompt()
            defer { prompt?.close() }
            try await options.withOpen(asking: prompt) { profile in
                let secret = try await newSecret(prompt)
                if case .passphrase = secret { prompt?.sayOneMoment() }
                try await profile.changeSecret(to: secret)
                let text = none ? "the key file opens the profile now" : "the new passphrase opens the profile now"
                if options.json { return _ = JSONLine.print(Changed(passphrase: !none)) }
                StandardStream.error.write("[\(text)]\n")
            }
        }
    }

    private func newSecret(_ prompt: Prompt?) async throws -> VaultSecret {
        if none { return .keyFile }
        if let newFile {
            let passphrase = try Passphrase.inFile(newFile)
            Passphrase.warn(about: passphrase)
            return .passphrase(passphrase)
        }
        guard let prompt else {
            throw Failure(message: "there is no terminal to ask for the new passphrase on; use --new-file")
        }
        guard let passphrase = try await Passphrase.new(asking: "New passphrase:", mayBeEmpty: false, prompt: prompt)
        else { throw ExitCode.failure }
        return .passphrase(passphrase)
    }

    private struct Changed: Encodable {
        let passphrase: Bool
    }
}
