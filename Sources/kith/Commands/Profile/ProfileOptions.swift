import ArgumentParser
import Foundation
import KithClient

/// The options that choose a profile and the format of the output.
struct ProfileOptions: ParsableArguments {
    @Option(name: .customLong("profile"), help: ArgumentHelp("The profile to use.", valueName: "name"))
    var name = "default"

    @Flag(name: .long, help: "Print JSON, one object a line.")
    var json = false

    /// Names that profiles cannot have. Other files in Kith's folder have these names.
    private static let taken = ["relay", "known_relays", "known_relays.lock"]

    func validate() throws {
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "-_. @+".unicodeScalars.contains(scalar)
        }
        guard isPlain, (1...64).contains(name.utf8.count), name.first != "." else {
            throw ValidationError("--profile: a profile's name consists of letters, digits, spaces, and - _ . @ +.")
        }
        guard !Self.taken.contains(name) else { throw ValidationError("--profile: the name \(name) is reserved.") }
    }

    /// The profile's folder.
    var folder: URL { KithHome().folder.appending(path: name, directoryHint: .isDirectory) }

    /// Whether the profile exists.
    var exists: Bool {
        get async throws {
            do {
                try await Profile.openForReading(in: folder, secret: .keyFile).close()
                return true
            } catch KithError.noProfile {
                return false
            } catch KithError.passphraseNeeded {
                return true
            }
        }
    }

    /// Opens the profile for sending and receiving.
    ///
    /// - Parameter prompt: the prompt for the passphrase, if the caller asks further questions later; `nil` to open a prompt
    ///   for the passphrase alone.
    /// - Throws: `KithError.inUse` if another process has opened the profile.
    func open(asking prompt: Prompt? = nil) async throws -> Profile {
        let profile = try await naming {
            try await Passphrase.opening(name, asking: prompt) { try await Profile.open(in: folder, secret: $0) }
        }
        OpenFiles.warn(of: Profile.filesOpenToOthers(in: folder), in: folder)
        return profile
    }

    /// Opens the profile for reading, even if another process has opened it.
    func openForReading() async throws -> Profile {
        try await naming {
            try await Passphrase.opening(name) { try await Profile.openForReading(in: folder, secret: $0) }
        }
    }

    private func naming<R>(_ open: () async throws -> R) async throws -> R {
        do {
            return try await open()
        } catch KithError.noProfile {
            throw NoProfile(name: name, others: Self.all.filter { $0 != name })
        }
    }

    /// The names of all profiles.
    private static var all: [String] {
        let home = KithHome().folder
        let names = (try? FileManager.default.contentsOfDirectory(atPath: home.path)) ?? []
        return names.filter { Profile.hasProfile(in: home.appending(path: $0, directoryHint: .isDirectory)) }.sorted()
    }

    /// Opens the profile, runs `body`, and closes the profile.
    func withOpen<R>(asking prompt: Prompt? = nil, _ body: (Profile) async throws -> R) async throws -> R {
        try await Self.closing(try await open(asking: prompt), body)
    }

    /// Opens the profile for reading, runs `body`, and closes the profile.
    ///
    /// - Throws: the errors of `body`. If damaged records were found, ``Failure`` after the end of `body`, which has then
    ///   processed all undamaged records.
    func withOpenForReading<R>(_ body: (Profile) async throws -> R) async throws -> R {
        try await Self.closing(try await openForReading()) { profile in
            let result = try await body(profile)
            let damage = await profile.damage()
            try Damage.report(damage, "not read")
            return result
        }
    }

    /// Runs `body` with a profile, and closes the profile.
    static func closing<R>(_ profile: Profile, _ body: (Profile) async throws -> R) async throws -> R {
        do {
            let result = try await body(profile)
            await profile.close()
            return result
        } catch {
            await profile.close()
            throw error
        }
    }
}

/// Thrown if no profile has the name.
struct NoProfile: DescribedError, Equatable {
    let name: String
    /// The names of the existing profiles.
    let others: [String]

    var description: String {
        if others.isEmpty { return KithError.noProfile.sentence }
        let near = NamedTarget.near(name, among: others)
        if !near.isEmpty { return "there is no profile \(name); did you mean \(near.joined(separator: " or "))?" }
        return "there is no profile \(name); there are: \(others.joined(separator: ", ")) (--profile NAME)"
    }
}
