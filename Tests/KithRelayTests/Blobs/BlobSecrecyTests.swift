import KithClient
import KithWire
import NIOCore
import RelayTestSupport
import Testing

@testable import KithRelay

/// The relay's answers to clients that know a blob's id, but not the token that a request needs.
@Suite(.timeLimit(.minutes(5))) struct BlobSecrecyTests {
    private struct Blob {
        let id = BlobID.random()
        let read = Token.random()
        let write = Token.random()
    }

    /// Creates a blob of 8 bytes, and uploads `count` bytes.
    private static func upload(_ count: Int, to relay: TestRelay) async throws -> Blob {
        let blob = Blob()
        let (connection, channel) = try await relay.connectWithChannel()
        let new = NewBlob(
            id: blob.id, read: Grant(for: blob.read), write: Grant(for: blob.write), size: 8, lifetimeSeconds: 3_600)
        #expect(try await connection.request(.createBlob(channel: channel.id, epoch: 0, blob: new)) == .done)
        await connection.close()
        guard count > 0 else { return blob }
        try await BlobConnection.use(relay.address, trust: .pinned(relay.pin)) { connection in
            _ = try await connection.append(to: blob.id, token: blob.write, offset: 0, count: UInt64(count)) {
                ByteBuffer(repeating: 7, count: count)
            }
        }
        return blob
    }

    /// All bytes that the relay sends in answer to a request, until it closes the connection.
    private static func answer(
        _ action: BlobRequest.Action, of id: BlobID, _ token: Token, at relay: TestRelay
    ) async throws -> String {
        let request = BlobRequest(blob: id, token: token, action: action)
        let lines = ["\(request.method) \(request.path) HTTP/1.1", "host: relay"]
        let head = (lines + request.fields.map { "\($0.name): \($0.value)" } + ["", ""]).joined(separator: "\r\n")
        var body: [UInt8] = []
        if case .append(_, let count) = action { body = [UInt8](repeating: 7, count: Int(count)) }
        let wire = try await WireClient.connect(to: relay.address)
        wire.send(Array(head.utf8) + body)
        return String(decoding: try await wire.everything(), as: UTF8.self)
    }

    private static let reads: [BlobRequest.Action] = [
        .read(first: 0, last: nil), .read(first: 2, last: 3), .read(first: 0, last: 99), .read(first: 8, last: nil),
        .read(first: .max, last: nil),
    ]
    private static let writes: [BlobRequest.Action] = [
        .append(offset: 0, count: 8), .append(offset: 3, count: 5), .append(offset: 8, count: 1),
        .append(offset: 0, count: 9), .delete,
    ]

    @Test(
        "without the token, every request is refused in the same bytes as for a blob that does not exist",
        arguments: [0, 3, 8])
    func refused(stored: Int) async throws {
        try await withBlobRelay { relay in
            let blob = try await Self.upload(stored, to: relay)
            var cases: [(BlobRequest.Action, Token)] = []
            for action in [.status] + Self.reads + Self.writes { cases.append((action, .random())) }
            // The read token does not write, and the write token does not read.
            for action in Self.reads { cases.append((action, blob.write)) }
            for action in Self.writes { cases.append((action, blob.read)) }
            for (action, token) in cases {
                let known = try await Self.answer(action, of: blob.id, token, at: relay)
                let unknown = try await Self.answer(action, of: .random(), .random(), at: relay)
                #expect(known.hasPrefix("HTTP/1.1 404 "), "\(action)")
                #expect(known == unknown, "\(action)")
            }
            // No request has changed anything.
            let status = try await BlobConnection.use(relay.address, trust: .pinned(relay.pin)) { connection in
                try await connection.status(of: blob.id, token: blob.write)
            }
            #expect(status.stored == UInt64(stored))
        }
    }
}
