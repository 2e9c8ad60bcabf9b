import ArgumentParser
import Foundation
import KithClient
import PrivateFiles

/// `kith export`: writes a backup.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a backup of your account, your contacts, your messages and your files.",
        discussion: """
            The file is encrypted with a passphrase of its own, has mode 0600, and is written completely or not at all. \
            It contains neither keys of this device nor anything that opens a conversation. kith import makes a new \
            device of it, with the whole history, and your contacts then add that device again. A lost passphrase can't \
            be recovered.

            Received files are in it if they are on this device, which kith files shows. --no-files leaves \
            them out.

            EXAMPLES
              kith export kith.backup                       asks for a passphrase
              kith export kith.backup --passphrase-file pw  from a file only you can read
              kith export kith.backup --no-files            a small one

            JSON
              One object: file, bytes, damaged (entries, files and other records that could
              not be read and are not in it), filesLeftOut (with --no-files).

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

    @Flag(name: .long, help: "Leave out the files that you received.")
    var noFiles = false

    func validate() throws {
        // A reader of standard output could not tell whether the backup is complete.
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
            let (damage, kept) = try await ProfileOptions.closing(try await options.openForReading()) { profile in
                let damage = try await profile.writeBackup(
                    to: url, passphrase: try await passphrase(), includesFiles: !noFiles)
                return (damage, try await profile.files.kept())
            }
            if PrivateFile(url).isOpenToOthers {
                OpenFiles.warn(of: [url.lastPathComponent], in: url.deletingLastPathComponent())
            }
            if options.json {
                let size = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int
                JSONLine.print(
                    Written(
                        file: url.path, bytes: size ?? 0, damaged: damage.entries + damage.otherValues,
                        filesLeftOut: noFiles ? kept.count : nil))
            } else {
                if noFiles, kept.count > 0 {
                    StandardStream.error.write(
                        "[left out: \(counted(kept.count, "file")), \(ByteCount.text(kept.bytes)); the relay deletes files after some weeks]\n"
                    )
                }
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
        /// Number of damaged entries and other damaged records. The backup contains no damaged records.
        let damaged: Int
        /// Number of files that are on this device and not in the backup; `nil` unless `--no-files` was given.
        let filesLeftOut: Int?
    }
}
