import Crypto
import Foundation
import KithClient
import KithCore
import KithWire
import NIOCore
import RelayTestSupport
import TestSupport
import Testing

@testable import KithRelay

/// Blobs over HTTP, from a client's connection to the relay's disk.
@Suite(.timeLimit(.minutes(5))) struct BlobTransferTests {
    /// A blob with its tokens.
    private struct Blob {
        let id = BlobID.random()
        let read = Token.random()
        let write = Token.random()
        let size: UInt64

        init(_ size: UInt64) { self.size = size }

        func creating(in channel: KnownChannel, epoch: UInt64 = 0) -> Request {
            .createBlob(
                channel: channel.id, epoch: epoch,
                blob: NewBlob(
                    id: id, read: Grant(for: read), write: Grant(for: write), size: size, lifetimeSeconds: 3_600))
        }
    }

    private static func bytes(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: 7)
        var words = [UInt64](repeating: 0, count: (count + 7) / 8)
        for index in words.indices { words[index] = generator.next() }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }

    @discardableResult
    private static func use<R>(
        _ relay: TestRelay, _ body: (inout BlobConnection) async throws -> R
    ) async throws -> R {
        try await BlobConnection.use(relay.address, trust: .pinned(relay.pin), body)
    }

    private static func create(_ blob: Blob, at relay: TestRelay) async throws {
        let (connection, channel) = try await relay.connectWithChannel()
        #expect(try await connection.request(blob.creating(in: channel)) == .done)
        await connection.close()
    }

    /// Uploads `bytes` from `offset` on, in one request.
    @discardableResult
    private static func upload(
        _ bytes: ArraySlice<UInt8>, to blob: Blob, _ connection: inout BlobConnection
    ) async throws -> BlobStatus {
        var rest = bytes
        return try await connection.append(
            to: blob.id, token: blob.write, offset: UInt64(bytes.startIndex), count: UInt64(bytes.count)
        ) {
            defer { rest = rest.dropFirst(200_000) }
            return ByteBuffer(bytes: rest.prefix(200_000))
        }
    }

    private static func download(
        _ range: Range<UInt64>, of blob: Blob, _ connection: inout BlobConnection
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await connection.read(range, of: blob.id, token: blob.read) {
            bytes.append(contentsOf: $0.readableBytesView)
        }
        return bytes
    }

    private static func refusal(_ body: () async throws -> Void) async -> RelayError.Code? {
        do {
            try await body()
            return nil
        } catch RelayConnectionError.refused(let error) {
            return error.code
        } catch {
            Issue.record("\(error)")
            return nil
        }
    }

    @Test("a blob is uploaded in two requests and downloaded in parts, on one connection")
    func transferred() async throws {
        try await withBlobRelay { relay in
            let bytes = Self.bytes(20_000_000)
            let blob = Blob(UInt64(bytes.count))
            try await Self.create(blob, at: relay)
            try await Self.use(relay) { connection in
                #expect(try await connection.status(of: blob.id, token: blob.write).stored == 0)
                let half = try await Self.upload(bytes[..<9_000_000], to: blob, &connection)
                #expect(half.stored == 9_000_000 && !half.isComplete)
                #expect(try await connection.status(of: blob.id, token: blob.read) == half)
                let whole = try await Self.upload(bytes[9_000_000...], to: blob, &connection)
                #expect(whole.isComplete)
                #expect(try await Self.download(0..<blob.size, of: blob, &connection) == bytes)
                #expect(
                    try await Self.download(12_345..<12_346, of: blob, &connection) == [bytes[12_345]])
                try await connection.delete(blob.id, token: blob.write)
            }
            let code = await Self.refusal {
                try await Self.use(relay) { _ = try await $0.status(of: blob.id, token: blob.write) }
            }
            #expect(code == .denied)
        }
    }

    @Test("an upload whose connection was lost goes on after the bytes that the relay has")
    func lostConnection() async throws {
        try await withBlobRelay { relay in
            let bytes = Self.bytes(9_000_000)
            let blob = Blob(UInt64(bytes.count))
            try await Self.create(blob, at: relay)
            struct Lost: Error {}
            await #expect(throws: Lost.self) {
                try await Self.use(relay) { connection in
                    var sent = 0
                    _ = try await connection.append(
                        to: blob.id, token: blob.write, offset: 0, count: blob.size
                    ) {
                        guard sent < 6_000_000 else {
                            // The connection is lost once the relay has made some of the bytes durable.
                            try await Self.use(relay) { other in
                                while try await other.status(of: blob.id, token: blob.write).stored < 4 << 20 {}
                            }
                            throw Lost()
                        }
                        defer { sent += 200_000 }
                        return ByteBuffer(bytes: bytes[sent..<sent + 200_000])
                    }
                }
            }
            // The relay may still be making the rest durable.
            var isComplete = false
            while !isComplete {
                let code = await Self.refusal {
                    try await Self.use(relay) { connection in
                        let stored = try await connection.status(of: blob.id, token: blob.write).stored
                        try await Self.upload(bytes[Int(stored)...], to: blob, &connection)
                    }
                }
                isComplete = code == nil
                #expect(isComplete || code == .wrongOffset)
            }
            try await Self.use(relay) { connection in
                let found = try await Self.download(0..<blob.size, of: blob, &connection)
                #expect(found == bytes)
            }
        }
    }

    @Test("neither a stranger nor the read token can write, and the write token can't read")
    func rights() async throws {
        try await withBlobRelay { relay in
            let blob = Blob(4)
            try await Self.create(blob, at: relay)
            for token in [Token.random(), blob.read] {
                let code = await Self.refusal {
                    try await Self.use(relay) {
                        _ = try await $0.append(to: blob.id, token: token, offset: 0, count: 4) {
                            ByteBuffer(bytes: [1, 2, 3, 4])
                        }
                    }
                }
                #expect(code == .denied)
                let deletion = await Self.refusal {
                    try await Self.use(relay) { try await $0.delete(blob.id, token: token) }
                }
                #expect(deletion == .denied)
            }
            try await Self.use(relay) { try await Self.upload([1, 2, 3, 4], to: blob, &$0) }
            for token in [Token.random(), blob.write] {
                let code = await Self.refusal {
                    try await Self.use(relay) { try await $0.read(0..<4, of: blob.id, token: token) { _ in } }
                }
                #expect(code == .denied)
            }
            #expect(try await Self.use(relay) { try await Self.download(0..<4, of: blob, &$0) } == [1, 2, 3, 4])
        }
    }

    @Test("only a client that may append to a conversation's current epoch creates a blob")
    func creation() async throws {
        try await withBlobRelay { relay in
            let (connection, channel) = try await relay.connectWithChannel()
            let (other, inbox) = try await relay.connectWithChannel(.inbox)
            let blob = Blob(4)
            // A stranger, a client that may only read, and the owner of an inbox.
            #expect(await Self.refusal { _ = try await other.request(blob.creating(in: channel)) } == .denied)
            try await other.present(channel, [channel.read])
            #expect(await Self.refusal { _ = try await other.request(blob.creating(in: channel)) } == .denied)
            #expect(await Self.refusal { _ = try await other.request(blob.creating(in: inbox)) } == .denied)
            // A removed member has the tokens of an earlier epoch.
            try await connection.turn(channel, to: channel.next())
            #expect(
                await Self.refusal { _ = try await connection.request(blob.creating(in: channel)) } == .staleEpoch)
            let code = await Self.refusal {
                try await Self.use(relay) { _ = try await $0.status(of: blob.id, token: blob.write) }
            }
            #expect(code == .denied)
            await connection.close()
            await other.close()
        }
    }

    @Test("a blob over a limit is refused: of its size, of the address's day, of the store")
    func limits() async throws {
        try await withBlobRelay(
            limits: { limits in
                limits.blobs.sizeMiB = 2
                limits.blobs.storeMiB = 3
            }
        ) { relay in
            let (connection, channel) = try await relay.connectWithChannel()
            func code(_ size: UInt64) async -> RelayError.Code? {
                await Self.refusal { _ = try await connection.request(Blob(size).creating(in: channel)) }
            }
            #expect(await code(2 << 20 | 1) == .tooLarge)
            #expect(await code(2 << 20) == nil)
            #expect(await code(2 << 20) == .full)
            // However small, each takes a file and a row.
            for _ in 0..<16 { #expect(await code(1) == nil) }
            #expect(await code(1) == .full)
            await connection.close()
        }
        try await withBlobRelay(limits: { $0.blobs.addressMiBPerDay = 5 }) { relay in
            let (connection, channel) = try await relay.connectWithChannel()
            func code(_ size: UInt64) async -> RelayError.Code? {
                await Self.refusal { _ = try await connection.request(Blob(size).creating(in: channel)) }
            }
            let blob = Blob(6 << 20)
            #expect(try await connection.request(blob.creating(in: channel)) == .done)
            #expect(await code(1) == .tooFast)
            // A client whose answer was lost asks again.
            #expect(try await connection.request(blob.creating(in: channel)) == .done)
            await connection.close()
        }
    }

    @Test("a relay that keeps no blobs refuses them")
    func none() async throws {
        try await withRelay { relay in
            let (connection, channel) = try await relay.connectWithChannel()
            #expect(await Self.refusal { _ = try await connection.request(Blob(1).creating(in: channel)) } == .denied)
            await connection.close()
        }
    }

    @Test("more bytes than the blob's size are refused before they are stored")
    func tooLong() async throws {
        try await withBlobRelay { relay in
            let blob = Blob(4)
            try await Self.create(blob, at: relay)
            let code = await Self.refusal {
                try await Self.use(relay) {
                    _ = try await $0.append(to: blob.id, token: blob.write, offset: 0, count: 5) {
                        ByteBuffer(bytes: [1, 2, 3, 4, 5])
                    }
                }
            }
            #expect(code == .tooLarge)
            #expect(try await Self.use(relay) { try await $0.status(of: blob.id, token: blob.write).stored } == 0)
        }
    }

    @Test("a connection that closes gives its slot back, also in the middle of an upload")
    func slots() async throws {
        try await withBlobRelay { relay in
            let blob = Blob(4_000_000)
            try await Self.create(blob, at: relay)
            struct Lost: Error {}
            for _ in 0..<3 * BlobLimits.transfersPerAddress {
                // The relay may notice the end of an earlier connection later.
                try await eventually("there is a slot") {
                    do {
                        try await Self.use(relay) { connection in
                            let stored = try await connection.status(of: blob.id, token: blob.write).stored
                            var isFirst = true
                            _ = try await connection.append(
                                to: blob.id, token: blob.write, offset: stored, count: blob.size - stored
                            ) {
                                guard isFirst else { throw Lost() }
                                isFirst = false
                                return ByteBuffer(bytes: [1])
                            }
                        }
                        return false
                    } catch is Lost {
                        return true
                    } catch RelayConnectionError.refused {
                        return false
                    }
                }
            }
        }
    }

    @Test("messages are answered while a client takes nothing of its download")
    func stalledDownload() async throws {
        try await withBlobRelay { relay in
            let bytes = Self.bytes(30_000_000)
            let blob = Blob(UInt64(bytes.count))
            try await Self.create(blob, at: relay)
            try await Self.use(relay) { try await Self.upload(bytes[...], to: blob, &$0) }
            let (connection, channel) = try await relay.connectWithChannel()
            try await Self.use(relay) { download in
                var count = 0
                try await download.read(0..<blob.size, of: blob.id, token: blob.read) { piece in
                    if count == 0 {
                        for number in 1...20 as ClosedRange<UInt64> {
                            let seq = try await connection.append("while it waits", to: channel)
                            #expect(seq == number)
                        }
                    }
                    count += piece.readableBytes
                }
                #expect(count == bytes.count)
            }
            await connection.close()
        }
    }
}
