import ArgumentParser
import Foundation
import KithClient
import PrivateFiles

/// `kith export`: writes a backup.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a backup of your account, your contacts and your messages.",
        discussion: """
            The file is encrypted with a passphrase of its own, has mode 0600, and is written completely or not at all. \
            It contains neither keys of this device nor anything that opens a conversation. kith import makes a new \
            device of it, with the whole history, and your contacts then add that device again. A lost passphrase can't \
            be recovered.

            EXAMPLES
              kith export kith.backup                       asks for a passphrase
              kith export kith.backup --passphrase-file pw  from a file only you can read

            JSON
              One object: file, bytes, damaged (entries and other records that could not
              be read and are not in it).

            EXIT CODES
              0    written
              1    error, or the backup is incomplete (a part of the profile is damaged)
              64   wrong usage
              130  ctrl-C at a question
            """)

    @OptionGroup var options: ProfileOptions

    @Argument(help: ArgumentHelp("The file to write. It must not exist.", valueName: "file"))
    var file: String

    @Option(name: .long, help: ArgumentHelp("A file with the passphrase of the backup.", valueName: "file"))
    var passphraseFile: String?

    func validate() throws {
        // On standard output, the reader could not tell whether the backup is complete.
        if file == "-" {
            throw ValidationError("A backup is not written to standard output; name a file (./- is one called -).")
        }
    }

    func run() async throws {
        try await reportingFailure {
            let url = URL(fileURLWithPath: file)
            // This is checked early, so that the command fails before it asks for a passphrase.
            if FileManager.default.fileExists(atPath: url.path) {
                throw Failure(message: "the file \(file) exists already; it was not changed")
            }
            let damage = try await ProfileOptions.closing(try await options.openForReading()) { profile in
                try await profile.writeBackup(to: url, passphrase: try await passphrase())
            }
            if PrivateFile(url).isOpenToOthers {
                OpenFiles.warn(of: [url.lastPathComponent], in: url.deletingLastPathComponent())
            }
            if options.json {
                let size = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int
                JSONLine.print(
                    Written(file: url.path, bytes: size ?? 0, damaged: damage.entries + damage.otherValues))
            } else {
                StandardStream.error.write(
                    "[\(SafeText.oneLine(file)) is written; keep it where this machine's disk can't take it along]\n")
            }
            try Damage.report(damage, "left out of the backup")
        }
    }

    private func passphrase() async throws -> String {
        if let passphraseFile {
            let passphrase = try Passphrase.inFile(passphraseFile)
            Passphrase.warn(about: passphrase)
            return passphrase
        }
        guard let prompt = Prompt() else {
            throw Failure(message: "there is no terminal to ask for the backup's passphrase on; use --passphrase-file")
        }
        defer { prompt.close() }
        let answer = try await Passphrase.new(
            asking: "New passphrase for the backup (can't be recovered):", mayBeEmpty: false, prompt: prompt)
        return answer ?? ""
    }

    private struct Written: Encodable {
        let file: String
        let bytes: Int
        /// Number of damaged entries and other damaged records. The backup does not contain them.
        let damaged: Int
    }
}
