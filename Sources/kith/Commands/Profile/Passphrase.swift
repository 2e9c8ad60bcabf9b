import Foundation
import KithClient
import PrivateFiles

/// Gets passphrases from the file that `KITH_PASSPHRASE_FILE` names, or from the person at the terminal.
enum Passphrase {
    /// Maximum size of a passphrase file, in bytes.
    private static let limit = 4 << 10
    private static let variable = "KITH_PASSPHRASE_FILE"
    /// Maximum number of attempts of a person to enter the passphrase.
    static let attempts = 3

    /// Returns the passphrase in the file that the environment variable names; `nil` if the variable is not set.
    static func fromFile() throws -> String? {
        guard let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty else { return nil }
        return try inFile(path)
    }

    /// Returns the passphrase in a file, without the line break at the end.
    ///
    /// - Throws: ``Failure`` if the file has no passphrase, or if other users can read the file.
    static func inFile(_ path: String) throws -> String {
        let file = PrivateFile(URL(fileURLWithPath: path))
        guard let content = try file.read(limit: limit) else {
            throw Failure(message: "there is no file \(path) with a passphrase")
        }
        guard !file.isOpenToOthers else {
            throw Failure(
                message:
                    "\(path) has mode \(file.modeText); a passphrase file must have mode 0600 or 0400: "
                    + "chmod 600 \(path)")
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw Failure(message: "the passphrase in \(path) is not UTF-8 text")
        }
        let passphrase = text.trimmingSuffix { $0.isNewline }
        guard !passphrase.isEmpty else { throw Failure(message: "there is no passphrase in \(path)") }
        return String(passphrase)
    }

    /// The length below which a new passphrase causes a warning, in characters. A thief of the profile or the backup could find
    /// a shorter passphrase by trying many.
    static let fewestCharacters = 12

    /// Opens a vault with its key file. If the vault requires a passphrase, takes the passphrase from the file that
    /// `KITH_PASSPHRASE_FILE` names, or asks for it.
    ///
    /// - Parameter given: the prompt for the question, if the caller asks further questions later. Without a prompt, this
    ///   function opens one and closes it.
    static func opening(
        _ name: String, asking given: Prompt? = nil, _ open: (VaultSecret) async throws -> Profile
    ) async throws -> Profile {
        do {
            return try await open(.keyFile)
        } catch KithError.passphraseNeeded {
            if let passphrase = try fromFile() { return try await open(.passphrase(passphrase)) }
        }
        guard let prompt = given ?? Prompt() else {
            throw Failure(
                message:
                    "the profile needs its passphrase; run this on a terminal, or name a file that only you can read "
                    + "in \(variable)")
        }
        defer { if given == nil { prompt.close() } }
        var attempt = 1
        while true {
            let passphrase = try await prompt.ask("Passphrase of \(own: name):")
            prompt.sayOneMoment()
            do {
                return try await open(.passphrase(passphrase))
            } catch KithError.wrongPassphrase where attempt < attempts {
                prompt.say("Wrong passphrase.")
                attempt += 1
            }
        }
    }

    /// Asks for a new passphrase, twice.
    ///
    /// - Parameter mayBeEmpty: whether an empty passphrase is accepted.
    /// - Returns: the passphrase; `nil` if it is empty.
    static func new(asking question: Sentence, mayBeEmpty: Bool, prompt: Prompt) async throws -> String? {
        while true {
            let passphrase = try await prompt.ask(question)
            if passphrase.isEmpty {
                if mayBeEmpty { return nil }
                prompt.say("A passphrase must have at least one character.")
                continue
            }
            if let warning = warning(about: passphrase) {
                prompt.say(warning)
                prompt.say("Enter it again to use it, or press Enter to choose another one.")
            }
            let again = try await prompt.ask("Again:")
            if again == passphrase { return passphrase }
            if !again.isEmpty { prompt.say("The passphrases don't match.") }
        }
    }

    /// Returns a warning about a passphrase that can be guessed; `nil` if the passphrase is long enough.
    static func warning(about passphrase: String) -> Sentence? {
        guard passphrase.count < fewestCharacters else { return nil }
        return
            "A passphrase of fewer than \(fewestCharacters) characters can be guessed; four or more random words are better."
    }

    /// Warns about a short new passphrase from a file. The program does not ask for a better passphrase, because no person is
    /// there.
    static func warn(about passphrase: String) {
        if let warning = warning(about: passphrase) { StandardStream.error.say(warning) }
    }
}

extension String {
    /// Removes characters from the end while a condition is true.
    fileprivate func trimmingSuffix(while isSuch: (Character) -> Bool) -> Substring {
        var rest = self[...]
        while let last = rest.last, isSuch(last) { rest.removeLast() }
        return rest
    }
}
