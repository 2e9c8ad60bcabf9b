import Foundation
import KithClient
import KithRelay
import KithWire
import TestSupport

/// Runs a relay with TLS on a free loopback port while `body` runs.
///
/// - Parameters:
///   - store: the relay's store; a new one in memory if `nil`.
///   - limits: changes limits. By default, the rates of requests are so high that no test reaches them.
///   - clock: the relay's clock; `nil` for the system's.
///   - configure: changes the rest of the configuration.
package func withRelay<R>(
    store: (any ChannelStore)? = nil, limits: (inout RelayLimits) -> Void = { _ in }, clock: TestClock? = nil,
    configure: (inout RelayConfiguration) -> Void = { _ in }, _ body: (TestRelay) async throws -> R
) async throws -> R {
    let configuration = configured(limits: limits, clock: clock, configure)
    return try await withTemporaryFolder { folder in
        let server = try await RelayServer.start(
            configuration, identity: .kept(in: folder.appending(path: "relay")), store: store ?? MemoryStore())
        return try await run(TestRelay(server: server, pass: configuration.relayPass, folder: folder), body)
    }
}

/// Runs a relay that keeps blobs in its folder while `body` runs.
package func withBlobRelay<R>(
    limits: (inout RelayLimits) -> Void = { _ in }, clock: TestClock? = nil, _ body: (TestRelay) async throws -> R
) async throws -> R {
    let configuration = configured(limits: limits, clock: clock)
    return try await withTemporaryFolder { folder in
        let own = folder.appending(path: "relay")
        let server = try await RelayServer.start(
            configuration, identity: .kept(in: own), store: MemoryStore(), blobs: try FileBlobStore(folder: own.path))
        return try await run(TestRelay(server: server, pass: nil, folder: folder), body)
    }
}

private func configured(
    limits: (inout RelayLimits) -> Void, clock: TestClock? = nil,
    _ configure: (inout RelayConfiguration) -> Void = { _ in }
) -> RelayConfiguration {
    var configuration = RelayConfiguration()
    configuration.eventLoops = 2
    configuration.logger.logLevel = .warning
    configuration.limits.requestsPerSecond = 1_000_000
    configuration.limits.requestBurst = 1_000_000
    configuration.limits.addressRequestsPerSecond = 10_000_000
    configuration.limits.addressRequestBurst = 10_000_000
    // Long enough for a machine with much other load.
    configuration.limits.helloMs = 600_000
    limits(&configuration.limits)
    if let clock {
        configuration.nowMs = { clock.nowMs }
        configuration.uptime = { clock.uptime }
    }
    configure(&configuration)
    return configuration
}

/// Calls `body`, then stops the relay.
private func run<R>(_ relay: TestRelay, _ body: (TestRelay) async throws -> R) async throws -> R {
    do {
        let result = try await body(relay)
        await relay.server.shutDown()
        return result
    } catch {
        await relay.server.shutDown()
        throw error
    }
}

/// A relay in the tests' own process.
package struct TestRelay: ReachableRelay {
    package let server: RelayServer
    /// The pass that ``connect()`` sends.
    package let pass: RelayPass?
    /// The folder that contains the relay's own folder, `relay`.
    package let folder: URL

    package init(server: RelayServer, pass: RelayPass?, folder: URL) {
        self.server = server
        self.pass = pass
        self.folder = folder
    }

    package var pin: RelayPin { server.pin }

    package var address: RelayAddress {
        guard let address = RelayAddress(host: server.host, port: server.port) else {
            preconditionFailure("\(server.host):\(server.port) is no address")
        }
        return address
    }

    package func connect() async throws -> RelayConnection {
        try await RelayConnection.connect(to: address, trust: .pinned(pin), pass: pass, timeouts: .patient)
    }

    /// A connection with a new channel, and all rights in it.
    package func connectWithChannel(_ kind: ChannelKind = .log) async throws -> (RelayConnection, KnownChannel) {
        let connection = try await connect()
        let channel = KnownChannel()
        try await connection.open(channel, kind: kind)
        return (connection, channel)
    }
}

extension RelayTimeouts {
    /// Long enough for a machine with much other load. No test waits for the end of one.
    package static let patient = RelayTimeouts(
        connect: .seconds(600), handshake: .seconds(600), answer: .seconds(600))
}
