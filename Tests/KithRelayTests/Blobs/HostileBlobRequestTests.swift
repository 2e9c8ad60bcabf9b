import KithClient
import KithWire
import NIOCore
import RelayTestSupport
import TestSupport
import Testing

@testable import KithRelay

/// Requests about blobs that violate the protocol, as raw bytes over TLS.
@Suite(.timeLimit(.minutes(5))) struct HostileBlobRequestTests {
    private let id = BlobID.random()
    private let read = Token.random()
    private let write = Token.random()

    /// Runs a relay with a blob of `size` bytes while `body` runs.
    private func withBlob(_ size: UInt64, _ body: (TestRelay) async throws -> Void) async throws {
        try await withBlobRelay { relay in
            let (connection, channel) = try await relay.connectWithChannel()
            let blob = NewBlob(
                id: id, read: Grant(for: read), write: Grant(for: write), size: size, lifetimeSeconds: 3_600)
            #expect(
                try await connection.request(.createBlob(channel: channel.id, epoch: 0, blob: blob)) == .done)
            try await body(relay)
            // The relay serves others.
            #expect(try await connection.request(.ping) == .done)
            await connection.close()
        }
    }

    private func request(_ action: BlobRequest.Action, more fields: [String] = []) -> [UInt8] {
        let request = BlobRequest(blob: id, token: write, action: action)
        let lines = ["\(request.method) \(request.path) HTTP/1.1", "host: relay"] + fields
        return Array(
            (lines + request.fields.map { "\($0.name): \($0.value)" } + ["", ""]).joined(separator: "\r\n").utf8)
    }

    private func stored(_ relay: TestRelay) async throws -> UInt64 {
        try await BlobConnection.use(relay.address, trust: .pinned(relay.pin)) { connection in
            try await connection.status(of: id, token: write).stored
        }
    }

    private func content(_ relay: TestRelay, _ size: UInt64) async throws -> [UInt8] {
        try await BlobConnection.use(relay.address, trust: .pinned(relay.pin)) { connection in
            var bytes: [UInt8] = []
            try await connection.read(0..<size, of: id, token: read) { bytes.append(contentsOf: $0.readableBytesView) }
            return bytes
        }
    }

    @Test("an upload that ends before the announced length keeps its bytes and no more")
    func fewerBytes() async throws {
        try await withBlob(10) { relay in
            let wire = try await WireClient.connect(to: relay.address)
            try await wire.sendAndWait(request(.append(offset: 0, count: 10)) + [1, 2, 3])
            wire.close()
            await wire.waitUntilClosed()
            try await eventually({ try await stored(relay) }, until: { $0 == 3 })
            let count: UInt64 = 3
            try await BlobConnection.use(relay.address, trust: .pinned(relay.pin)) { connection in
                let rest: [UInt8] = Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].dropFirst(Int(count)))
                _ = try await connection.append(to: id, token: write, offset: count, count: UInt64(rest.count)) {
                    .init(bytes: rest)
                }
            }
            #expect(try await content(relay, 10) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        }
    }

    @Test("bytes after the announced length are no part of the blob, and end the connection")
    func moreBytes() async throws {
        try await withBlob(4) { relay in
            let wire = try await WireClient.connect(to: relay.address)
            wire.send(request(.append(offset: 0, count: 4)) + [1, 2, 3, 4, 5, 6, 7, 8])
            await wire.waitUntilClosed()
            try await eventually({ try await stored(relay) }, until: { $0 == 4 })
            #expect(try await content(relay, 4) == [1, 2, 3, 4])
        }
    }

    @Test("a body without a length, or with two, is refused and stores nothing")
    func ambiguousLength() async throws {
        try await withBlob(4) { relay in
            let chunked = Array("4\r\nabcd\r\n0\r\n\r\n".utf8)
            let path = BlobRequest(blob: id, token: write, action: .status)
            let fields = path.fields.map { "\($0.name): \($0.value)\r\n" }.joined()
            let start = "PATCH \(path.path) HTTP/1.1\r\nhost: relay\r\n\(fields)upload-offset: 0\r\n"
            for lengths in [
                "transfer-encoding: chunked\r\n", "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
                "content-length: 4\r\ncontent-length: 3\r\n",
            ] {
                let wire = try await WireClient.connect(to: relay.address)
                wire.send(Array("\(start)\(lengths)\r\n".utf8) + chunked)
                await wire.waitUntilClosed()
            }
            #expect(try await stored(relay) == 0)
        }
    }

    @Test("requests that do not wait for the answer end the connection, and its slot comes back")
    func pipelined() async throws {
        try await withBlob(4) { relay in
            for _ in 0..<2 * BlobLimits.transfersPerAddress {
                let wire = try await WireClient.connect(to: relay.address)
                wire.send(request(.status) + request(.status) + request(.status))
                await wire.waitUntilClosed()
            }
            try await eventually("a slot is free") { (try? await stored(relay)) == 0 }
        }
    }
}
