import ClassicSession
import Foundation
import KithClient
import KithWire
import Testing

@testable import kith

/// A conversation in this process, over a real relay with real TLS.
@Suite struct ClassicChatTests {
    @Test("somebody who was cut off in the middle of the handshake and starts again is found again")
    func startedAgain() async throws {
        let identities = try (ClassicIdentity.generate(), ClassicIdentity.generate())
        try await withRelay { relay in
            let (events, event) = AsyncStream.makeStream(of: ChatEvent.self)
            let alice = try relay.chat("alice", "bob", identity: identities.0) { event.yield($0) }
            let alicesLife = Task { try await alice.run() }
            for await case .session(.waiting) in events { break }

            // A Bob who gets as far as his proof, and is gone.
            let ids = try (ClassicID("bob"), ClassicID("alice"))
            var gone = try ClassicSession(me: ids.0, peer: ids.1, identity: identities.1)
            let channel = try MeetingChannel(ids.0, ids.1)
            let connection = try await RelayConnection.connect(to: relay.address, trust: .pinned(relay.pin))
            _ = try await connection.request(channel.present)
            let follow = try await connection.follow(channel.id, epoch: 0, fromSeq: 1)
            var own: Set<EntryID> = []
            func append(_ outputs: [Output]) async throws {
                for case .frame(let frame) in outputs {
                    let id = EntryID.random()
                    own.insert(id)
                    _ = try await connection.request(channel.append(frame, id: id))
                }
            }
            try await append(gone.start())
            reading: for try await case .entries(let entries) in follow {
                for entry in entries where !own.contains(entry.id) {
                    // Alice has sent her proof and waits for the keys: she is in the middle of it.
                    if entry.seq > 5 { break reading }
                    try await append(gone.receive(entry.payload))
                }
            }

            let bob = try relay.chat("bob", "alice", identity: identities.1) { _ in }
            let bobsLife = Task { try await bob.run() }
            #expect(await alice.waitUntilOpen())
            #expect(await bob.waitUntilOpen())
            _ = await bob.leave()
            #expect(try await alicesLife.value == .goodbye)
            #expect(try await bobsLife.value == .left)
        }
    }

    @Test("a relay that restarts cuts nothing: the conversation goes on, and nothing is lost or said twice")
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
            let fixture = TestRelay(
                address: try #require(RelayAddress(listening.address)), pin: try #require(RelayPin(listening.pin)),
                folder: folder)
            let (heard, hear) = AsyncStream.makeStream(of: String.self)
            let alice = try fixture.chat("alice", "bob", identity: identities.0, giveUpAfter: .seconds(60)) { _ in }
            let bob = try fixture.chat("bob", "alice", identity: identities.1, giveUpAfter: .seconds(60)) { event in
                if case .session(.message(_, let text)) = event { hear.yield(text) }
                if case .session(.ended) = event { hear.finish() }
            }
            let lives = (Task { try await alice.run() }, Task { try await bob.run() })
            #expect(await alice.waitUntilOpen())
            for number in 1...300 {
                try await alice.send("\(number)")
                guard number.isMultiple(of: 100) else { continue }
                relay.signal(SIGKILL)
                _ = await relay.exitCode()
                relay = try KithProcess(
                    ["relay", "--listen", listening.address, "--data", data, "--json"], folder: folder)
                _ = try #require(await relay.line())
            }
            #expect(await alice.leave() == .goodbye)
            var texts: [String] = []
            for await text in heard { texts.append(text) }
            #expect(texts == (1...300).map(String.init))
            #expect(try await lives.0.value == .left)
            #expect(try await lives.1.value == .goodbye)
        }
    }
}
