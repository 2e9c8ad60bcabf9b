import Foundation
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient

@Suite("A profile", .timeLimit(.minutes(5)))
struct ProfileOpeningTests {
    @Test("is made by the first opening, and keeps its name and key")
    func opening() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("profile").path
            let first = try await Profile.open(path, as: "bot")
            let identity = await first.identity()
            #expect(identity.name == "bot" && identity.deviceName == "bot")
            await #expect(throws: KithError.self) { try await Profile.open(path, as: "bot") }
            await first.close()
            let second = try await Profile.open(URL(fileURLWithPath: path), as: "bot", deviceName: "other")
            #expect(await second.identity() == identity)
            await second.close()
            await #expect(throws: KithError.hasOtherName("bot")) { try await Profile.open(path, as: "robot") }
            let third = try await Profile.open(path, as: "bot")
            await third.close()
        }
    }

    @Test("trusts a relay on first use, and refuses another key later")
    func relays() async throws {
        try await withRelay { server in
            let known = KnownRelays(file: PrivateFile(server.folder.appending(path: "known_relays")))
            let (alice, bob) = (try await Person("alice"), try await Person("bob"))
            let relay = try await alice.profile.relay("\(server.address)", known: known)
            #expect(relay == server.point)
            #expect(try known.pin(of: server.address) == server.pin)
            _ = try await alice.profile.createInvite(at: relay)

            // Another server in place of a known relay.
            let before = try #require(RelayPin([UInt8](repeating: 7, count: 32)))
            #expect(try known.forget(server.address))
            #expect(try known.remember(before, of: server.address) == .added)
            await #expect(throws: KithError.relayKeyChanged(server.address, known: before, found: server.pin)) {
                try await bob.profile.relay("\(server.address)", known: known)
            }
            #expect(try known.pin(of: server.address) == before)
            // A profile that uses a relay knows its key.
            let again = try await alice.profile.relay("\(server.address)", known: known)
            #expect(again == server.point)
            await #expect(throws: KithError.notAnAddress("nowhere")) {
                try await bob.profile.relay("nowhere", known: known)
            }
            await alice.profile.close()
            await bob.profile.close()
        }
    }
}
