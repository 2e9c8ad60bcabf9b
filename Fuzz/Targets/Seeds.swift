import Crypto
import Foundation
import KithWire
import TLSCodec

/// A signed record. Its key is no secret: anybody may sign more with it, without harm.
let genuineRecord: NameRecord = {
    do {
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: 7, count: 32))
        guard let name = Name("alice") else { fatalError("a name is none") }
        return try NameRecord(name: name, version: 7, content: Array("kith:somewhere".utf8), signedBy: key)
    } catch {
        fatalError("no record: \(error)")
    }
}()

/// Writes a folder of first inputs for every target: valid ones, one of each kind.
func writeSeeds(to folder: URL) throws {
    for (target, inputs) in try seeds().merging(recordSeeds(), uniquingKeysWith: +) {
        let folder = folder.appending(path: target)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (index, input) in inputs.enumerated() {
            try Data(input).write(to: folder.appending(path: "seed-\(index)"))
        }
    }
}

private func seeds() throws -> [String: [[UInt8]]] {
    let requests = try requests().map { ClientFrame(requestID: 0x0102_0304, request: $0) }
    let replies = try replies().map { RelayFrame(requestID: 0x0102_0304, reply: $0) }
    return [
        "codec": codecPrograms,
        "client-frame": requests.map(\.encoded),
        "relay-frame": replies.map(\.encoded),
        "websocket": webSocketStreams(requests, replies),
        "name-record": [genuineRecord.name.encoded + genuineRecord.unverified.encoded, Array("alice".utf8)],
        "classic": (0..<9).flatMap { stage in
            (0..<16).map { frame in [UInt8(stage), UInt8(frame), 0, UInt8(frame + 1), 1, 0, 0, 9, 1] }
        },
        "upgrade": upgradeResponses,
        "relay-text": relayTexts,
        "blob-request": try blobRequests(),
    ]
}

/// Heads of HTTP requests about blobs, as `fuzzBlobRequest` reads them.
private func blobRequests() throws -> [[UInt8]] {
    let actions: [BlobRequest.Action] = [
        .append(offset: 7, count: 9), .status, .delete, .read(first: 0, last: nil), .read(first: 5, last: 9),
    ]
    let (blob, token) = (try fixed(BlobID(Array(0..<32))), try fixed(Token(Array(40..<72))))
    return actions.map { action in
        let request = BlobRequest(blob: blob, token: token, action: action)
        let fields = request.fields.map { "\($0.name): \($0.value)" }
        return Array(([request.method, request.path] + fields).joined(separator: "\n").utf8)
    }
}

/// The number of operations, the operations, and the bytes that they read.
private let codecPrograms: [[UInt8]] = [
    [5, 0, 1, 2, 3, 15] + Array(0..<15),
    [4, 4, 4, 4, 4, 0x3f, 0x40, 0x40, 0x80, 0, 0x40, 0, 5],
    [3, 0x25, 6, 0x17, 1, 2, 3, 9, 9, 9, 1, 7],
    [3, 8, 9, 10, 4, 0, 1, 0, 2, 4, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 9],
    [4, 11, 12, 0xfd, 14, 1, 2, 5, 6, 6, 1, 1, 9, 2, 1, 8, 0, 0, 0, 1],
]

private func requests() throws -> [Request] {
    let channel = try fixed(ChannelID(Array(0..<32)))
    let token = try fixed(Token(Array(40..<72)))
    let id = try fixed(EntryID(Array(100..<116)))
    let grant = Grant(for: token)
    let access = Access(read: grant, append: grant, turn: grant)
    let payload = Array("payload".utf8)[...]
    return [
        .hello(versions: [1, 2], relayPass: RelayPass("open sesame")),
        .hello(versions: [1], relayPass: nil),
        .create(channel: channel, access: access, retentionSeconds: 3600),
        .create(channel: channel, kind: .inbox, access: access, retentionSeconds: nil),
        .present(channel: channel, epoch: .max, tokens: [token, token, token]),
        .append(channel: channel, epoch: 3, id: id, payload: payload),
        .turn(channel: channel, epoch: 3, id: id, payload: payload, nextAccess: access),
        .follow(channel: channel, epoch: 3, fromSeq: .max),
        .unfollow(channel: channel),
        .whisper(channel: channel, epoch: 3, payload: payload),
        .close(channel: channel),
        .deposit(
            channel: channel, keyPackages: [KeyPackageBytes(payload), KeyPackageBytes([])],
            lastResort: KeyPackageBytes([2, 3])),
        .withdraw(channel: channel),
        .register(name: genuineRecord.name, record: genuineRecord.unverified),
        .lookup(name: genuineRecord.name),
        .ping,
        .trim(channel: channel, throughSeq: .max),
        .createBlob(
            channel: channel, epoch: 3,
            blob: NewBlob(
                id: try fixed(BlobID(Array(7..<39))), read: grant, write: grant, size: 1 << 32, lifetimeSeconds: 86_400)
        ),
    ]
}

private func replies() throws -> [Reply] {
    let channel = try fixed(ChannelID(Array(0..<32)))
    let id = try fixed(EntryID(Array(100..<116)))
    let limits = AdvertisedLimits(
        payload: 1, frame: 2, requestsPerSecond: 3, requestBurst: 4, idleSeconds: 5, follows: 6, retentionSeconds: 7)
    let entries = [EntryKind.message, .turn].enumerated().map { index, kind in
        Entry(
            seq: UInt64(index) + 1, epoch: 0, kind: kind, receivedAtMs: 1_700_000_000_000, id: id, payload: [1, 2, 3])
    }
    return [
        .welcome(version: 1, relayID: Array(0..<16), limits: limits, timeMs: 1_700_000_000_000),
        .done,
        .granted(.all),
        .accepted(seq: .max),
        .following(firstSeq: 5, lastSeq: 9),
        .entries(channel: channel, entries: entries),
        .epochEnded(channel: channel, epoch: 9),
        .whispered(channel: channel, epoch: 9, payload: [1, 2, 3]),
        .keyPackage(KeyPackageBytes([1, 2]), isLastResort: true),
        .record(genuineRecord.unverified),
        .error(RelayError(.staleEpoch, "the channel is in another epoch", detail: 4, retryAfterMs: 5)),
    ]
}

/// The flags, the cuts and the stream.
private func webSocketStreams(_ requests: [ClientFrame], _ replies: [RelayFrame]) -> [[UInt8]] {
    var fromClient = WebSocketWriter()
    for request in requests.prefix(4) { fromClient.write(request, mask: 0xdead_beef) }
    fromClient.writeClose(code: 1000, mask: 2)
    var fromServer = WebSocketWriter()
    for reply in replies.prefix(4) { fromServer.write(reply) }
    fromServer.writePong([1, 2, 3])
    let fragments: [UInt8] = [0x02, 2, 1, 2, 0x89, 1, 9, 0x00, 0, 0x00, 1, 3, 0x80, 1, 4]
    let long: [UInt8] = [0x82, 126, 0, 200] + [UInt8](repeating: 5, count: 200)
    return [
        [0x22, 3, 50] + fromClient.bytes, [0x13, 7] + fromServer.bytes, [0x11, 3] + fragments, [0x13, 100] + long,
        [0x13, 9, 0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], [0x01, 0x88, 2, 3, 0xe8], [0x01, 0x81, 1, 65],
    ]
}

/// The cuts and the response.
private let upgradeResponses: [[UInt8]] = {
    let good =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    return [
        [1, 9] + Array(good.utf8) + [0x82, 1, 7], [2, 1, 30] + Array("HTTP/1.1 503 Service Unavailable\r\n\r\n".utf8),
        [0] + Array((good.dropLast(4) + "\r\nSec-WebSocket-Extensions: x\r\n\r\n").utf8), [0] + Array("HTTP/1.1".utf8),
    ]
}()

private let relayTexts: [[UInt8]] = {
    let pin = RelayPin(ofSubjectPublicKeyInfo: Array("key".utf8)).description
    let texts = [
        pin, "SHA256:" + pin.uppercased(), "sha256/" + pin, "relay.example.org:4433", "[2001:db8::7]:1",
        "192.0.2.7:65535", "fe80::1%eth0:1", ":", "a:0",
    ]
    return texts.map { Array($0.utf8) }
}()

private struct NotASeed: Error {}

private func fixed<T>(_ value: T?) throws -> T {
    guard let value else { throw NotASeed() }
    return value
}
