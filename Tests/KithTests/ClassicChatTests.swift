import ClassicSession
import Foundation
import KithClient
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import kith

/// A conversation in this process, over a real relay with real TLS.
@Suite(.timeLimit(.minutes(5))) struct ClassicChatTests {
    @Test("a peer that restarts after a broken handshake gets a new session")
    func startedAgain() async throws {
        let identities = try (ClassicIdentity.generate(), ClassicIdentity.generate())
        try await withRelay { relay in
            let (events, event) = AsyncStream.makeStream(of: ClassicEvent.self)
            let alice = try relay.chat("alice", "bob", identity: identities.0) { event.yield($0) }
            let alicesLife = Task { try await alice.run() }
            for await case .session(.waiting) in events { break }

            // This Bob sends his public key and disappears. Alice waits for the proof that belongs to it.
            let ids = try (ClassicID("bob"), ClassicID("alice"))
            var gone = try ClassicSession(me: ids.0, peer: ids.1, identity: identities.1)
            let channel = try MeetingChannel(ids.0, ids.1)
            let connection = try await RelayConnection.connect(
                to: relay.address, trust: .pinned(relay.pin), timeouts: .patient)
            _ = try await connection.request(channel.present)
            let follow = try await connection.follow(channel.id, epoch: 0, fromSeq: 1)
            func firstFrame(_ outputs: [Output]) -> [UInt8]? {
                for case .frame(let frame) in outputs { return frame }
                return nil
            }
            let hello = EntryID.random()
            let outputs = gone.start()
            let announcement = try #require(firstFrame(outputs))
            _ = try await connection.request(channel.append(announcement, id: hello))
            reading: for try await case .entries(let entries) in follow {
                for entry in entries where entry.id != hello {
                    guard let answer = firstFrame(gone.receive(entry.payload)) else { continue }
                    _ = try await connection.request(channel.append(answer, id: .random()))
                    break reading
                }
            }

            let bob = try relay.chat("bob", "alice", identity: identities.1) { _ in }
            let bobsLife = Task { try await bob.run() }
            #expect(await alice.waitUntilOpen() != nil)
            #expect(await bob.waitUntilOpen() != nil)
            _ = try await bob.leave(.saidEverything)
            #expect(try await alicesLife.value == .goodbye)
            #expect(try await bobsLife.value == .left)
        }
    }

    @Test("a restart of the relay neither ends the conversation nor loses or repeats a text")
    func restart() async throws {
        let identities = try (ClassicIdentity.generate(), ClassicIdentity.generate())
        try await withTemporaryFolder { folder in
            let data = folder.appendingPathComponent("relay").path
            var relay = try KithProcess(["relay", "--listen", "127.0.0.1:0", "--data", data, "--json"], folder: folder)
            struct Listening: Decodable {
                let address: String
                let pin: String
            }
            let line = try #require(await relay.line())
            let listening = try JSONDecoder().decode(Listening.self, from: Data(line.utf8))
            let fixture = ForeignRelay(
                address: try #require(RelayAddress(listening.address)), pin: try #require(RelayPin(listening.pin)),
                folder: folder)
            let (heard, hear) = AsyncStream.makeStream(of: String.self)
            let alice = try fixture.chat("alice", "bob", identity: identities.0, giveUpAfter: .seconds(3_600)) { _ in }
            let bob = try fixture.chat("bob", "alice", identity: identities.1, giveUpAfter: .seconds(3_600)) { event in
                if case .session(.message(_, let text)) = event { hear.yield(text) }
                if case .session(.ended) = event { hear.finish() }
            }
            let lives = (Task { try await alice.run() }, Task { try await bob.run() })
            #expect(await alice.waitUntilOpen() != nil)
            for number in 1...300 {
                try await alice.send("\(number)")
                guard number.isMultiple(of: 100) else { continue }
                relay.signal(SIGKILL)
                _ = await relay.exitCode()
                relay = try KithProcess(
                    ["relay", "--listen", listening.address, "--data", data, "--json"], folder: folder)
                _ = try #require(await relay.line())
            }
            #expect(try await alice.leave(.saidEverything) == .goodbye)
            var texts: [String] = []
            for await text in heard { texts.append(text) }
            #expect(texts == (1...300).map(String.init))
            #expect(try await lives.0.value == .left)
            #expect(try await lives.1.value == .goodbye)
        }
    }

    /// Sends a request as an attacker who knows both ids and nothing else. Every token of the channel follows from
    /// them.
    private func stranger(_ relay: TestRelay, _ request: (ChannelID) -> Request) async throws {
        let derivation = try ChannelDerivation(ClassicID("alice"), ClassicID("bob"))
        let channel = try #require(ChannelID(derivation.channelID))
        let tokens = try [derivation.readToken, derivation.appendToken, derivation.turnToken].map {
            try #require(Token($0))
        }
        let connection = try await RelayConnection.connect(
            to: relay.address, trust: .pinned(relay.pin), timeouts: .patient)
        _ = try await connection.request(.present(channel: channel, epoch: 0, tokens: tokens))
        _ = try await connection.request(request(channel))
        await connection.close()
    }

    @Test("a stranger who closes or takes over the channel ends the conversation, without reconnects")
    func taken() async throws {
        let identities = try (ClassicIdentity.generate(), ClassicIdentity.generate())
        let grant = Grant(for: .random())
        let access = Access(read: grant, append: grant, turn: grant)
        let deeds: [@Sendable (ChannelID) -> Request] = [
            { .turn(channel: $0, epoch: 0, id: .random(), payload: [], nextAccess: access) },
            { .close(channel: $0) },
        ]
        for deed in deeds {
            try await withRelay { relay in
                let alice = try relay.chat("alice", "bob", identity: identities.0, giveUpAfter: .seconds(3_600)) { _ in
                }
                let bob = try relay.chat("bob", "alice", identity: identities.1, giveUpAfter: .seconds(3_600)) { _ in }
                let lives = (Task { try await alice.run() }, Task { try await bob.run() })
                #expect(await alice.waitUntilOpen() != nil)
                #expect(await bob.waitUntilOpen() != nil)
                try await stranger(relay, deed)
                await #expect(throws: Failure.self) { try await lives.0.value }
                await #expect(throws: Failure.self) { try await lives.1.value }
            }
        }
    }

    @Test("an unsent text is counted, and leaving is no goodbye then")
    func notTaken() async throws {
        let identities = try (ClassicIdentity.generate(), ClassicIdentity.generate())
        try await withRelay { relay in
            let alice = try relay.chat("alice", "bob", identity: identities.0) { _ in }
            let bob = try relay.chat("bob", "alice", identity: identities.1) { _ in }
            let lives = (Task { try await alice.run() }, Task { try await bob.run() })
            #expect(await alice.waitUntilOpen() != nil)
            try await stranger(relay) { .close(channel: $0) }
            try? await alice.send("too late")
            await #expect(throws: Failure.self) { _ = try await alice.leave(.saidEverything) }
            #expect(await alice.unsent == 1)
            _ = await (lives.0.result, lives.1.result)
        }
    }

    @Test("leaving without a connection does not wait for the relay")
    func leavesWhileReconnecting() async throws {
        let identities = try (ClassicIdentity.generate(), ClassicIdentity.generate())
        let (events, event) = AsyncStream.makeStream(of: ClassicEvent.self)
        let chat = try await withRelay { relay in
            let alice = try relay.chat("alice", "bob", identity: identities.0, giveUpAfter: .seconds(3600)) {
                event.yield($0)
            }
            let bob = try relay.chat("bob", "alice", identity: identities.1) { _ in }
            Task { try await alice.run() }
            Task { try await bob.run() }
            #expect(await alice.waitUntilOpen() != nil)
            return alice
        }
        for await case .reconnecting in events { break }
        try await chat.send("never heard")
        #expect(try await chat.leave(.now) == .cut)
        #expect(await chat.unsent == 1)
    }
}
