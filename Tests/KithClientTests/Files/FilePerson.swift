import Foundation
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

/// A person with a profile in a folder, who can send and receive files.
struct FilePerson {
    let name: String
    /// The folder with the profile and the person's own files.
    let folder: URL
    let profile: Profile

    private var profileFolder: URL { folder.appending(path: "profile") }
    /// The folder with the profile's encrypted files.
    var files: URL { profileFolder.appending(path: "files") }

    init(_ name: String, in folder: URL) async throws {
        self.name = name
        self.folder = folder.appending(path: name)
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        profile = try await Profile.create(
            in: self.folder.appending(path: "profile"), name: name, deviceName: name, secret: .keyFile)
    }

    private init(_ name: String, _ folder: URL, _ profile: Profile) {
        (self.name, self.folder, self.profile) = (name, folder, profile)
    }

    /// The same profile after reopening.
    func reopened() async throws -> FilePerson {
        await profile.close()
        #expect(await profile.failure == nil)
        var profile: Profile?
        // A process that another test starts has a copy of the lock, until it runs its own program.
        try await eventually("the profile is open") {
            do {
                profile = try await Profile.open(in: profileFolder, secret: .keyFile)
                return true
            } catch KithError.inUse {
                return false
            }
        }
        return FilePerson(name, folder, try #require(profile))
    }

    func conversation(_ name: String) async throws -> ConversationID {
        try #require(try await profile.conversations().first { $0.name == name }).id
    }

    /// Writes a file of the person.
    func write(_ name: String, _ bytes: [UInt8]) throws -> URL {
        let url = folder.appending(path: name)
        try Data(bytes).write(to: url)
        return url
    }

    /// The bytes of a file that the person has saved.
    static func bytes(_ url: URL?) throws -> [UInt8] { Array(try Data(contentsOf: try #require(url))) }

    /// The messages with files in a conversation that are in the log, the newest first.
    func received(_ conversation: ConversationID, count: Int = 1) async throws -> [ListedFile] {
        try await eventually({ try await profile.files.list(in: conversation) }) { $0.count >= count }
        return try await profile.files.list(in: conversation)
    }

    /// The names of the profile's encrypted files.
    func keptFiles() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: files.path)) ?? [] }
}

/// Runs `body` with two people who have met at a relay that stores files, and closes their profiles. Alice has verified Bob, and
/// Bob Alice.
func withFilePeople(
    _ body: (_ alice: FilePerson, _ bob: FilePerson, _ relay: TestRelay) async throws -> Void
) async throws {
    try await withBlobRelay { relay in
        try await withTemporaryFolder { folder in
            let alice = try await FilePerson("alice", in: folder)
            let bob = try await FilePerson("bob", in: folder)
            let invite = try await alice.profile.createInvite(at: relay.point)
            _ = try await bob.profile.join(Invite(line: invite.invite.line))
            try await eventually({ try await alice.profile.conversations().map(\.name) }) { $0.contains("bob") }
            try await body(alice, bob, relay)
            await alice.profile.close()
            await bob.profile.close()
        }
    }
}

/// Bytes that no part of a file repeats.
func fileBytes(_ count: Int, seed: UInt64 = 3) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    var words = [UInt64](repeating: 0, count: (count + 7) / 8)
    for index in words.indices { words[index] = generator.next() }
    return words.withUnsafeBytes { Array($0.prefix(count)) }
}
