import Foundation
import KithWire
import Synchronization
import Testing

@testable import KithRelay

@Suite("How a relay begins and ends")
struct LifeTests {
    @Test("first starts at the same time in one folder agree on the key")
    func oneKey() throws {
        for _ in 0..<10 {
            let folder = TemporaryFolder()
            let pins = Mutex<Set<RelayPin>>([])
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                do {
                    let identity = try RelayIdentity.kept(in: URL(fileURLWithPath: folder.path))
                    // A certificate of another key than the one beside it cannot be used.
                    _ = try identity.tlsContext()
                    pins.withLock { _ = $0.insert(identity.pin) }
                } catch { Issue.record(error) }
            }
            #expect(pins.withLock(\.count) == 1)
            let again = try RelayIdentity.kept(in: URL(fileURLWithPath: folder.path))
            #expect(pins.withLock { $0 } == [again.pin])
        }
    }

    @Test("a relay that can no longer listen says so", .timeLimit(.minutes(5)))
    func deaf() async throws {
        try await withRelay { relay in
            let server = relay.server
            let deaf = Task { await server.untilDeaf() }
            // As NIO does it when accepting fails with an error that it takes for the socket's end.
            try await server.listener.close()
            await deaf.value
        }
    }

    @Test("shutting down twice, at once and later, is the same as once", .timeLimit(.minutes(5)))
    func twice() async throws {
        try await withRelay { relay in
            async let first: Void = relay.server.shutDown()
            async let second: Void = relay.server.shutDown()
            _ = await (first, second)
            await relay.server.shutDown()
        }
    }
}
