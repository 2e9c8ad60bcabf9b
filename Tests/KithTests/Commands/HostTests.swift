import Foundation
import KithRelay
import KithWire
import Testing

@testable import KithClient
@testable import kith

/// Where a hosted relay says that it is, from one start to the next.
@Suite(.timeLimit(.minutes(2))) struct HostTests {
    /// Starts a relay once; returns the address in its invites, and where it listens.
    private func start(
        _ folder: URL, listen: String? = nil, address: String? = nil
    ) async throws -> (address: String, port: Int) {
        let relay = try await HostedRelay.start(
            in: folder, listen: try listen.map { try #require(ListenAddress(argument: $0)) },
            address: try address.map { try #require(HostAddress(argument: $0)) })
        await relay.stop()
        return (relay.point.address.description, relay.nearby.port)
    }

    @Test("the address that the user gave stays, with its port, also when it listens somewhere else")
    func given() async throws {
        try await withTemporaryFolder { folder in
            let first = try await start(folder, listen: "127.0.0.1:0", address: "example.org:9999")
            #expect(first.address == "example.org:9999")
            let second = try await start(folder)
            #expect(second == first)
            #expect(try await start(folder, listen: "0.0.0.0:0").address == "example.org:9999")
            #expect(try await start(folder).address == "example.org:9999")
            #expect(try await start(folder, address: "example.net").address == "example.net:9999")
            #expect(try await start(folder, address: "example.net:7443").address == "example.net:7443")
        }
    }

    @Test("an address that was guessed is guessed anew when this machine no longer has it")
    func guessed() async throws {
        try await withTemporaryFolder { folder in
            let first = try await start(folder, listen: "0.0.0.0:0")
            let file = folder.appendingPathComponent("relay/host.json")
            let kept = try String(contentsOf: file, encoding: .utf8)
            #expect(kept.contains("\"isGiven\":false"))
            let host = try #require(RelayAddress(first.address)).host
            try Data(kept.replacing(host, with: "192.0.2.1").utf8).write(to: file)
            #expect(try await start(folder) == first)
            #expect(try await start(folder, listen: "127.0.0.1:0").address.hasPrefix("127.0.0.1:"))
        }
    }

    /// Whether a client gets in with this pass.
    private func isWelcome(_ pass: RelayPass?, at relay: HostedRelay) async -> Bool {
        let connection = try? await RelayConnection.connect(
            to: relay.nearby, trust: .pinned(relay.point.pin), pass: pass)
        await connection?.close()
        return connection != nil
    }

    @Test("a new relay has a pass that its invites carry and that stays; one of an older version stays open")
    func pass() async throws {
        try await withTemporaryFolder { folder in
            let listen = try #require(ListenAddress(argument: "127.0.0.1:0"))
            let first = try await HostedRelay.start(in: folder, listen: listen, address: nil)
            let pass = try #require(first.point.pass)
            #expect(!first.isOpen)
            #expect(await isWelcome(pass, at: first))
            #expect(await !isWelcome(nil, at: first))
            #expect(await !isWelcome(RelayPass("another"), at: first))
            await first.stop()
            let second = try await HostedRelay.start(in: folder, listen: nil, address: nil)
            #expect(second.point.pass == pass)
            await second.stop()

            // As an older version left it.
            let file = folder.appendingPathComponent("relay/host.json")
            let older = #"{"host":"127.0.0.1","port":\#(second.nearby.port),"listen":"127.0.0.1","isGiven":false}"#
            try Data(older.utf8).write(to: file)
            let third = try await HostedRelay.start(in: folder, listen: nil, address: nil)
            #expect(third.isOpen)
            #expect(await isWelcome(nil, at: third))
            await third.stop()
            #expect(RelayLimits.household.connections == 256)
        }
    }

    @Test("a file of an older version is read")
    func older() async throws {
        try await withTemporaryFolder { folder in
            let port = try await start(folder, listen: "127.0.0.1:0").port
            let file = folder.appendingPathComponent("relay/host.json")
            let older = #"{"host":"example.org","port":\#(port),"listen":"127.0.0.1","isGiven":true}"#
            try Data(older.utf8).write(to: file)
            #expect(try await start(folder) == ("example.org:\(port)", port))
        }
    }
}
