import ClassicSession
import Foundation
import KithClient
import KithRelay
import KithWire
import Testing

@testable import kith

/// A folder of the test's own, removed afterwards.
func withTemporaryFolder<R>(_ body: (URL) async throws -> R) async throws -> R {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kith-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}

/// A relay on a free loopback port, with real TLS, for as long as `body` runs.
func withRelay<R>(
    limits: (inout RelayLimits) -> Void = { _ in }, _ body: (TestRelay) async throws -> R
) async throws -> R {
    try await withTemporaryFolder { folder in
        var configuration = RelayConfiguration()
        configuration.eventLoops = 1
        limits(&configuration.limits)
        let identity = try RelayIdentity.kept(in: folder.appendingPathComponent("relay"))
        let server = try await RelayServer.start(configuration, identity: identity, store: MemoryStore())
        let relay = TestRelay(
            address: try #require(RelayAddress(host: server.host, port: server.port)), pin: server.pin, folder: folder)
        do {
            let result = try await body(relay)
            await server.shutDown()
            return result
        } catch {
            await server.shutDown()
            throw error
        }
    }
}

struct TestRelay {
    let address: RelayAddress
    let pin: RelayPin
    let folder: URL

    /// `kith classic` as this user.
    func classic(_ me: String, _ peer: String, _ more: String...) throws -> KithProcess {
        try KithProcess(
            [
                "classic", "--relay", address.description, "--pin", pin.description, "--id", me, "--peer", peer,
            ] + more,
            folder: folder)
    }

    /// A conversation inside of the test's own process.
    func chat(
        _ me: String, _ peer: String, identity: ClassicIdentity, giveUpAfter: Duration = .zero,
        report: @escaping ClassicChat.Report
    ) throws -> ClassicChat {
        try ClassicChat(
            session: { try ClassicSession(me: ClassicID(me), peer: ClassicID(peer), identity: identity) },
            giveUpAfter: giveUpAfter,
            connect: { [address, pin] in try await RelayConnection.connect(to: address, trust: .pinned(pin)) },
            report: report)
    }
}
