import Foundation
import KithRelay
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A changed key")
struct ChangedKeyTests {
    /// A relay that loses everything but its identity.
    private struct ForgetfulRelay {
        let point: RelayPoint
        let folder: URL
        let server: RelayServer

        static func start(in folder: URL, port: Int = 0) async throws -> ForgetfulRelay {
            var configuration = RelayConfiguration(port: port)
            configuration.eventLoops = 1
            let server = try await RelayServer.start(configuration, identity: .kept(in: folder), store: MemoryStore())
            let address = try #require(RelayAddress(host: server.host, port: server.port))
            return ForgetfulRelay(
                point: RelayPoint(address: address, pin: server.pin), folder: folder, server: server)
        }

        func restarted() async throws -> ForgetfulRelay {
            await server.shutDown()
            return try await Self.start(in: folder, port: server.port)
        }
    }

    /// Alice knows bob by his name at the relay. Then the name leads to another person.
    private func withAnotherBob(
        _ body: (_ alice: Person, _ bob: Contact, _ another: Person, _ relay: RelayPoint) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            var relay = try await ForgetfulRelay.start(in: folder)
            let (alice, bob, another) = (
                try await Person("alice"), try await Person("bob"), try await Person("another")
            )
            let name = try #require(Name("bob"))
            try await bob.profile.register(name, at: relay.point)
            _ = try await alice.profile.lookUp(name, at: relay.point, as: "Robert")
            await bob.profile.close()
            relay = try await relay.restarted()
            try await another.profile.register(name, at: relay.point)
            let robert = try #require(await alice.profile.contacts().first)
            let found = await another.profile.identity().accountKey
            await #expect(
                throws: KithError.keyChanged(
                    contact: "Robert", pinned: robert.accountKey.fingerprint, found: found.fingerprint)
            ) { try await alice.profile.lookUp(name, at: relay.point) }
            try await body(alice, robert, another, relay.point)
            await alice.profile.close()
            await another.profile.close()
            await relay.server.shutDown()
        }
    }

    @Test("blocks sending until the user decides, and asks again if the user keeps the pinned key")
    func kept() async throws {
        try await withAnotherBob { alice, robert, another, relay in
            let found = await another.profile.identity().accountKey
            #expect(await alice.profile.contacts().map(\.conflictingKey) == [found])
            await #expect(throws: KithError.self) { try await alice.profile.startConversation(with: robert.id) }
            await #expect(throws: KithError.self) {
                try await alice.profile.createGroup("team", at: relay, members: [robert.id])
            }
            #expect(try await alice.profile.conversations().isEmpty)
            try await alice.profile.decideKey(of: robert.id, accept: false)
            #expect(await alice.profile.contacts() == [robert])
            await #expect(throws: KithError.self) {
                try await alice.profile.lookUp(try #require(Name("bob")), at: relay)
            }
            #expect(await alice.profile.contacts().map(\.conflictingKey) == [found])
        }
    }

    @Test("that was accepted is unverified, and the contact can be reached after another look-up")
    func accepted() async throws {
        try await withAnotherBob { alice, robert, another, relay in
            let name = try #require(Name("bob"))
            try await alice.profile.setVerified(robert.id, true)
            try await alice.profile.decideKey(of: robert.id, accept: true)
            let contact = try #require(await alice.profile.contacts().first)
            #expect(contact.accountKey == (await another.profile.identity().accountKey))
            #expect(contact.trust == .unverified)
            // The known address leads to the old key.
            await #expect(throws: KithError.notReachable("Robert", .never)) {
                try await alice.profile.startConversation(with: robert.id)
            }
            #expect(try await alice.profile.lookUp(name, at: relay) == robert.id)
            let conversation = try await alice.profile.startConversation(with: robert.id)
            _ = try await alice.profile.send("hello", to: conversation)
            try await eventually({ try await another.profile.conversations().map(\.name) }) { $0 == ["alice"] }
            let there = try await another.conversation("alice")
            try await another.profile.accept(there)
            try await eventually({ try await another.texts(there) }) { $0 == ["alice: hello"] }
        }
    }

    @Test("is not reported for the same name at another relay, or for a name that the user chose: that name is taken")
    func otherRelay() async throws {
        try await withRelay { relay in
            try await withRelay { otherRelay in
                let (here, there) = (
                    relay.point, otherRelay.point
                )
                let (alice, bob, another) = (
                    try await Person("alice"), try await Person("bob"), try await Person("another")
                )
                let name = try #require(Name("bob"))
                try await bob.profile.register(name, at: here)
                try await another.profile.register(name, at: there)
                let first = try await alice.profile.lookUp(name, at: here)
                await #expect(throws: KithError.nameTaken("bob")) { try await alice.profile.lookUp(name, at: there) }
                #expect(await alice.profile.contacts().map(\.conflictingKey) == [nil])
                let second = try await alice.profile.lookUp(name, at: there, as: "bob of there")
                #expect(second != first)
                #expect(await alice.profile.contacts().map(\.name).sorted() == ["bob", "bob of there"])
                for person in [alice, bob, another] { await person.profile.close() }
            }
        }
    }

    @Test("is found out again and again at a relay, which is used once the right key is back")
    func relayHeals() async throws {
        try await withTemporaryFolder { folder in
            let right = folder.appendingPathComponent("right")
            let wrong = folder.appendingPathComponent("wrong")
            var relay = try await ForgetfulRelay.start(in: right)
            let point = relay.point
            let alice = try await Person("alice")
            _ = try await alice.profile.createInvite(at: point)
            let events = await alice.profile.events()
            await relay.server.shutDown()
            relay = try await ForgetfulRelay.start(in: wrong, port: point.address.port)
            for await event in events {
                guard case .relay(let known, .refused(.pinMismatch)) = event else { continue }
                #expect(known == KnownRelay(address: point.address, pin: point.pin) && known.namedBy == nil)
                break
            }
            await relay.server.shutDown()
            relay = try await ForgetfulRelay.start(in: right, port: point.address.port)
            let again = await alice.profile.events()
            for await event in again { if case .relay(_, .connected) = event { break } }
            await alice.profile.close()
            await relay.server.shutDown()
        }
    }

}
