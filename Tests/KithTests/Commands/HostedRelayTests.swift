import Foundation
import KithRelay
import KithWire
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

/// The addresses and the pass of a hosted relay, from one start to the next.
@Suite(.timeLimit(.minutes(2))) struct HostedRelayTests {
    /// Starts a relay and stops it. Returns the address in its invites and the address it listens on.
    private func start(
        _ folder: URL, listen: String? = nil, address: String? = nil
    ) async throws -> (address: String, port: Int) {
        let relay = try await HostedRelay.start(
            in: folder, listen: try listen.map { try #require(ListenAddress(argument: $0)) },
            address: try address.map { try #require(HostAddress(argument: $0)) })
        await relay.stop()
        return (relay.point.address.description, relay.nearby.port)
    }

    @Test("an address given by the user stays when the listening address changes")
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

    @Test("a guessed address is replaced when this machine no longer has it")
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

    /// Whether the relay accepts a client with this pass.
    private func isWelcome(_ pass: RelayPass?, at relay: HostedRelay) async -> Bool {
        let connection = try? await RelayConnection.connect(
            to: relay.nearby, trust: .pinned(relay.point.pin), pass: pass)
        await connection?.close()
        return connection != nil
    }

    @Test("a new relay keeps a pass that its invites carry; an older version's stays open")
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

            // The file of an older version.
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

    @Test("a failed first start does not make the relay look like an open one")
    func failedFirstStart() async throws {
        try await withTemporaryFolder { folder in
            let listen = try #require(ListenAddress(argument: "127.0.0.1:0"))
            let other = folder.appendingPathComponent("other")
            let taken = try await HostedRelay.start(in: other, listen: listen, address: nil)
            let there = try #require(ListenAddress(argument: "127.0.0.1:\(taken.nearby.port)"))
            await #expect(throws: RelayListenError.self) {
                try await HostedRelay.start(in: folder, listen: there, address: nil)
            }
            await taken.stop()
            let first = try await HostedRelay.start(in: folder, listen: there, address: nil)
            let pass = try #require(first.point.pass)
            await first.stop()

            // The file of a version that failed before it wrote the pass.
            let file = folder.appendingPathComponent("relay/host.json")
            try FileManager.default.removeItem(at: file)
            let second = try await HostedRelay.start(in: folder, listen: listen, address: nil)
            #expect(second.point.pass != nil && second.point.pass != pass)
            await second.stop()
        }
    }

    @Test("without host.json, a relay keeps the pass in the profile, and stays open if there is none")
    func lostFile() async throws {
        try await withTemporaryFolder { folder in
            let listen = try #require(ListenAddress(argument: "127.0.0.1:0"))
            let first = try await HostedRelay.start(in: folder, listen: listen, address: nil)
            let pass = try #require(first.point.pass)
            let connection = try await RelayConnection.connect(
                to: first.nearby, trust: .pinned(first.point.pin), pass: pass)
            let access = Access(read: Grant(for: .random()), append: Grant(for: .random()), turn: Grant(for: .random()))
            let create = Request.create(channel: .random(), access: access, retentionSeconds: nil)
            #expect(try await connection.request(create) == .done)
            await connection.close()
            await first.stop()
            let open = RelayPoint(address: first.point.address, pin: first.point.pin)
            let file = folder.appendingPathComponent("relay/host.json")
            for (known, expected) in [([open, first.point], pass), ([open], nil), ([], nil)] {
                try FileManager.default.removeItem(at: file)
                let relay = try await HostedRelay.start(in: folder, listen: listen, address: nil, known: known)
                #expect(relay.point.pass == expected)
                await relay.stop()
            }
            try Data("{}".utf8).write(to: file)
            await #expect(throws: Failure.self) {
                try await HostedRelay.start(in: folder, listen: listen, address: nil, known: [first.point])
            }
        }
    }

    @Test("files of older versions can be read")
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
