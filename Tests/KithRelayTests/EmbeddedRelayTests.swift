import Foundation
import KithClient
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithRelay

@Suite("A relay in the caller's process", .timeLimit(.minutes(5)))
struct EmbeddedRelayTests {
    private func quiet(port: Int = 0) -> RelayConfiguration {
        var configuration = RelayConfiguration(port: port)
        configuration.eventLoops = 1
        configuration.logger.logLevel = .error
        return configuration
    }

    private func connect(to relay: Relay) async throws -> RelayConnection {
        let address = try #require(RelayAddress(host: relay.host, port: relay.port))
        return try await RelayConnection.connect(to: address, trust: .pinned(relay.pin), timeouts: .patient)
    }

    /// Runs a relay until `body` has returned, and then cancels its task.
    private func running<R: Sendable>(
        in folder: URL, _ configuration: RelayConfiguration, _ body: (Relay) async throws -> R
    ) async throws -> R {
        let (ready, continuation) = AsyncStream.makeStream(of: Relay.self)
        let task = Task {
            defer { continuation.finish() }
            try await Relay.run(in: folder, configuration) { relay in continuation.yield(relay) }
        }
        for await relay in ready {
            let result = try await body(relay)
            task.cancel()
            try await task.value
            return result
        }
        try await task.value
        throw CancellationError()
    }

    @Test("a relay serves until its task is cancelled, and keeps its key and its channels")
    func running() async throws {
        try await withTemporaryFolder { folder in
            let channel = KnownChannel()
            let pin = try await running(in: folder, quiet()) { relay in
                let connection = try await connect(to: relay)
                try await connection.open(channel)
                #expect(try await connection.append("kept", to: channel) == 1)
                return relay.pin
            }
            try await running(in: folder, quiet()) { relay in
                #expect(relay.pin == pin)
                let connection = try await connect(to: relay)
                try await connection.present(channel)
                #expect(try await connection.entries(of: channel).map(\.text) == ["kept"])
            }
        }
    }

    @Test("a relay that stops closes its connections")
    func closing() async throws {
        try await withTemporaryFolder { folder in
            let connection = try await running(in: folder, quiet()) { relay in try await connect(to: relay) }
            await connection.waitUntilClosed()
        }
    }

    @Test("a relay in memory keeps its key and nothing else")
    func memory() async throws {
        try await withTemporaryFolder { folder in
            var configuration = quiet()
            configuration.storage = .memory
            let channel = KnownChannel()
            let pin = try await running(in: folder, configuration) { relay in
                try await connect(to: relay).open(channel)
                return relay.pin
            }
            try await running(in: folder, configuration) { relay in
                #expect(relay.pin == pin)
                let present = Request.present(channel: channel.id, epoch: 0, tokens: channel.tokens)
                let refusal = try await connect(to: relay).refusal(of: present)
                #expect(refusal?.code == .denied)
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            #expect(names == ["relay-certificate.pem", "relay-key.pem"])
        }
    }

    @Test("an address that another process listens on is an error, and the folder can be used afterwards")
    func taken() async throws {
        try await withTemporaryFolder { folder in
            let first = folder.appending(path: "first")
            let second = folder.appending(path: "second")
            try await running(in: first, quiet()) { relay in
                let error = await #expect(throws: RelayListenError.self) {
                    try await Relay.run(in: second, quiet(port: relay.port))
                }
                #expect(error?.isTaken == true)
            }
            #expect(try await Relay.isUnused(in: second))
            try await running(in: second, quiet()) { _ in }
        }
    }

    @Test("a caller that throws once the relay is ready stops it")
    func throwingCaller() async throws {
        struct Enough: Error {}
        try await withTemporaryFolder { folder in
            await #expect(throws: Enough.self) {
                try await Relay.run(in: folder, quiet()) { _ in throw Enough() }
            }
            try await running(in: folder, quiet()) { _ in }
        }
    }

    @Test("running ends when the relay is stopped, and with an error when the system closes the listening socket")
    func ending() async throws {
        try await withTemporaryFolder { folder in
            try await Relay.run(in: folder, quiet()) { relay in await relay.stop() }
            await #expect(throws: RelayListenError.stoppedListening) {
                try await Relay.run(in: folder, quiet()) { relay in try await relay.server.listener.close() }
            }
        }
    }
}
