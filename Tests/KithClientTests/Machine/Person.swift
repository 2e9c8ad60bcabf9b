import KithSimulation
import KithWire
import MLS
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

/// A person with a profile in memory, connected to real relays.
final class Person: Sendable {
    let name: String
    let store: MemoryProfileStore
    let profile: Profile

    init(
        _ name: String, store: MemoryProfileStore? = nil, suite: CipherSuite = ProfileRecord.defaultSuite
    ) async throws {
        self.name = name
        if let store {
            self.store = store
        } else {
            self.store = MemoryProfileStore()
            try self.store.commit(
                try ProfileRecord.new(name: name, deviceName: "\(name)'s", suite: suite, now: Profile.now))
        }
        profile = try await Profile.open(over: self.store)
    }

    /// The same profile after reopening.
    func reopened() async throws -> Person {
        await profile.close()
        return try await Person(name, store: store)
    }

    func conversation(_ name: String) async throws -> ConversationID {
        try #require(try await profile.conversations().first { $0.name == name }).id
    }

    func contact(_ name: String) async throws -> ContactID {
        try #require(await profile.contacts().first { $0.name == name }).id
    }

    /// The texts of a conversation, each with its author.
    func texts(_ id: ConversationID) async throws -> [String] {
        try await profile.history(of: id, limit: 100_000).compactMap { message in
            guard case .text(let text) = message.body else { return nil }
            switch message.author {
            case .me: return "\(name): \(text)"
            case .contact(_, let name, _): return "\(name): \(text)"
            case .kith: return "?: \(text)"
            }
        }
    }
}

/// Runs `body` with two people who have met by an invite, and closes their profiles.
func withAliceAndBob(
    _ body: (_ alice: Person, _ bob: Person, _ relay: RelayPoint) async throws -> Void
) async throws {
    try await withRelay { server in
        let relay = server.point
        let alice = try await Person("alice")
        let bob = try await Person("bob")
        let invite = try await alice.profile.createInvite(at: relay)
        _ = try await bob.profile.join(Invite(line: invite.invite.line))
        try await eventually({ try await alice.profile.conversations().map(\.name) }) {
            $0.contains("bob")
        }
        try await body(alice, bob, relay)
        await alice.profile.close()
        await bob.profile.close()
    }
}

extension LogView {
    /// An empty view.
    static let nothing = LogView(seq: 0, hash: noPrevious, previous: noPrevious)
}
