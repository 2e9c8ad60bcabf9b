import Foundation
import KithClient
import PrivateFiles

/// Where the passphrase of a profile comes from: the file that `KITH_PASSPHRASE_FILE` names, or the person at the terminal.
enum Passphrase {
    /// The longest file that is read, in bytes.
    private static let limit = 4 << 10
    private static let variable = "KITH_PASSPHRASE_FILE"
    /// The number of times that a person may try.
    static let attempts = 3

    /// The passphrase in the file that the environment names; `nil` if it names none.
    static func fromFile() throws -> String? {
        guard let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty else { return nil }
        return try inFile(path)
    }

    /// The passphrase in a file, without the line break at its end.
    ///
    /// - Throws: ``Failure`` if there is none, or others can read it.
    static func inFile(_ path: String) throws -> String {
        let file = PrivateFile(URL(fileURLWithPath: path))
        guard let content = try file.read(limit: limit) else {
            throw Failure(message: "there is no file \(path) with a passphrase")
        }
        guard !file.isOpenToOthers else {
            throw Failure(
                message:
                    "\(path) has mode \(file.modeText); a passphrase file must be its owner's alone, with mode 0600 or 0400: "
                    + "chmod 600 \(path)")
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw Failure(message: "the passphrase in \(path) is not UTF-8 text")
        }
        let passphrase = text.trimmingSuffix { $0.isNewline }
        guard !passphrase.isEmpty else { throw Failure(message: "there is no passphrase in \(path)") }
        return String(passphrase)
    }

    /// The fewest characters of a passphrase that is taken without a warning. A file with a shorter one can be tried out.
    static let fewestCharacters = 12

    /// Opens a vault with what it needs: its key file, or a passphrase.
    ///
    /// - Parameter prompt: where to ask, if more is asked for later. Without one, a prompt is made and closed.
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
                    "the profile wants its passphrase: run this on a terminal, or name a file that only you can read "
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

    /// A new passphrase, typed twice.
    ///
    /// - Parameter mayBeEmpty: whether an empty one is an answer.
    /// - Returns: `nil` for an empty one.
    static func new(asking question: Sentence, mayBeEmpty: Bool, prompt: Prompt) async throws -> String? {
        while true {
            let passphrase = try await prompt.ask(question)
            if passphrase.isEmpty {
                if mayBeEmpty { return nil }
                prompt.say("It must have at least one character.")
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

    /// The warning about a passphrase that can be guessed; `nil` for one that is long enough.
    static func warning(about passphrase: String) -> Sentence? {
        guard passphrase.count < fewestCharacters else { return nil }
        return
            "A passphrase of fewer than \(fewestCharacters) characters can be guessed; four or more random words are better."
    }

    /// Warns about a new passphrase that came from a file, where nobody is asked.
    static func warn(about passphrase: String) {
        if let warning = warning(about: passphrase) { StandardStream.error.say(warning) }
    }
}

extension String {
    /// The text without the characters at its end that are such.
    fileprivate func trimmingSuffix(while isSuch: (Character) -> Bool) -> Substring {
        var rest = self[...]
        while let last = rest.last, isSuch(last) { rest.removeLast() }
        return rest
    }
}
