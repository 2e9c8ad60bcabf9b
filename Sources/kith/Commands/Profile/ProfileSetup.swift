import ArgumentParser
import Foundation
import KithClient

/// The values of a new profile. The user is asked for missing values at the terminal.
struct ProfileSetup: ParsableArguments {
    @Flag(name: .long, help: "Ask nothing; use defaults of this machine for missing values.")
    var yes = false

    @Option(
        name: .long, help: "The name of this device, which members of your conversations see. Default: the host's name."
    )
    var deviceName: String?

    @Flag(
        name: .long, help: "Keep the profile's key in a file beside it, instead of asking for a passphrase each time.")
    var noPassphrase = false

    func validate() throws {
        if let deviceName { try Self.check("--device-name", deviceName) }
    }

    static func check(_ option: String, _ name: String) throws {
        if let problem = problem(with: name) { throw ValidationError("\(option): \(problem).") }
    }

    /// Explains why a text cannot be the name of a person or a device; `nil` if the text is a valid name.
    static func problem(with name: String) -> String? {
        if name.trimmingCharacters(in: .whitespaces).isEmpty { return "a name must have at least one character" }
        if name.utf8.count > ClientLimits.personName {
            return "a name must have at most \(ClientLimits.personName) bytes"
        }
        // A terminal would not show such a name as it is.
        if SafeText.oneLine(name) != name { return "a name must not contain control characters" }
        return nil
    }

    /// Creates the profile.
    ///
    /// - Parameter name: the person's name, if it was given.
    func create(_ options: ProfileOptions, name: String?) async throws -> Profile {
        // The prompt is open until the profile is created, so that typed text stays hidden.
        let prompt = yes ? nil : Prompt()
        defer { prompt?.close() }
        let answers = try await answers(options, name: name, prompt)
        if answers.passphrase != nil { prompt?.sayOneMoment() }
        let profile = try await Profile.create(
            in: options.folder, name: answers.name, deviceName: deviceName ?? Self.hostName,
            secret: answers.passphrase.map(VaultSecret.passphrase) ?? .keyFile)
        OpenFiles.warn(of: Profile.filesOpenToOthers(in: options.folder), in: options.folder)
        return profile
    }

    /// Creates the profile from a backup.
    func restore(_ options: ProfileOptions, from backup: OpenedBackup, asking prompt: Prompt?) async throws -> Profile {
        let secret = try await newPassphrase(prompt).map(VaultSecret.passphrase) ?? .keyFile
        if case .passphrase = secret { prompt?.sayOneMoment() }
        let profile = try await Profile.restore(
            backup, in: options.folder, deviceName: deviceName ?? Self.hostName, secret: secret)
        OpenFiles.warn(of: Profile.filesOpenToOthers(in: options.folder), in: options.folder)
        return profile
    }

    /// Returns the passphrase of the new profile; `nil` if a key file is used.
    private func newPassphrase(_ prompt: Prompt?) async throws -> String? {
        let fromFile = try passphraseFromFile()
        if noPassphrase || yes || fromFile != nil { return fromFile }
        guard let prompt else {
            throw Failure(
                message:
                    "there is no terminal to ask for a passphrase on; use --yes or --no-passphrase, or name a file in "
                    + "KITH_PASSPHRASE_FILE")
        }
        return try await Passphrase.new(
            asking: "New passphrase for the profile (can't be recovered; empty for none):", mayBeEmpty: true,
            prompt: prompt)
    }

    private func passphraseFromFile() throws -> String? {
        guard !noPassphrase, let passphrase = try Passphrase.fromFile() else { return nil }
        Passphrase.warn(about: passphrase)
        return passphrase
    }

    /// Opens the profile. If the profile does not exist, creates it. Commands for new users call this function.
    func openOrCreate(_ options: ProfileOptions, name: String?) async throws -> Profile {
        let profile: Profile
        do {
            profile = try await options.open()
        } catch is NoProfile {
            return try await create(options, name: name)
        }
        do {
            try await checkIdentity(of: profile, name: name)
            return profile
        } catch {
            await profile.close()
            throw error
        }
    }

    /// Refuses given names that differ from the names in the existing profile, because the given names would have no effect.
    private func checkIdentity(of profile: Profile, name: String?) async throws {
        let identity = await profile.identity()
        let wanted = [(name, identity.name), (deviceName, identity.deviceName)]
        for case (let given?, let current) in wanted where given != current {
            throw Failure(
                message:
                    "this profile has the name \(current), not \(given); kith init sets names. For another profile, use "
                    + "--profile NAME")
        }
    }

    private func answers(
        _ options: ProfileOptions, name given: String?, _ prompt: Prompt?
    ) async throws -> (name: String, passphrase: String?) {
        // This is checked early, so that the command fails before the first question.
        let fromFile = try passphraseFromFile()
        if yes { return (given ?? Self.userName, fromFile) }
        guard let prompt else {
            guard let given else {
                throw Failure(
                    message: "there is no terminal to ask on; use --yes, and give your name with --name or --my-name")
            }
            guard noPassphrase || fromFile != nil else {
                throw Failure(
                    message:
                        "there is no terminal to ask for a passphrase on; use --yes or --no-passphrase, or name a file "
                        + "in KITH_PASSPHRASE_FILE")
            }
            return (given, fromFile)
        }
        prompt.say("A new profile, in \(own: options.folder.path).")
        var name = given
        while name == nil {
            let answer = try await prompt.ask("Your name, as others see it [\(own: Self.userName)]:", isShown: true)
            let candidate = answer.trimmingCharacters(in: .whitespaces)
            if let problem = candidate.isEmpty ? nil : Self.problem(with: candidate) {
                prompt.say("This name can't be used: \(own: problem).")
            } else {
                name = candidate.isEmpty ? Self.userName : candidate
            }
        }
        if noPassphrase || fromFile != nil { return (name ?? Self.userName, fromFile) }
        let passphrase = try await Passphrase.new(
            asking: "New passphrase (can't be recovered; empty for none):", mayBeEmpty: true, prompt: prompt)
        return (name ?? Self.userName, passphrase)
    }

    /// The user's login name; `me` if the login name is not usable.
    private static var userName: String { usable(NSUserName()) ?? "me" }
    /// The first part of the machine's name.
    private static var hostName: String {
        usable(String(ProcessInfo.processInfo.hostName.prefix { $0 != "." })) ?? "device"
    }

    private static func usable(_ name: String) -> String? { problem(with: name) == nil ? name : nil }
}
