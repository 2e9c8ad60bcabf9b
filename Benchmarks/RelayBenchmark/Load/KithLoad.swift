import KithWire
import TestSupport

/// A pair's channel, with the tokens that open it.
struct LoadChannel: Sendable {
    let id = ChannelID.random()
    let token = Token.random()
}

/// One Kith connection: opens its WebSocket, says hello, and then plays its role.
final class KithLoad: LoadProtocol {
    private let role: LoadRole
    private let tally: Tally
    private let channel: LoadChannel
    private let payload: ArraySlice<UInt8>
    private var decoder = WebSocketDecoder(from: .server)
    private var writer = WebSocketWriter()
    private var requestID: UInt32 = 10
    private var isUpgraded = false
    private var head: [UInt8] = []
    private var ids = SeededGenerator(seed: .random(in: .min ... .max))
    private var inFlight = 0
    private(set) var isReady = false

    init(_ role: LoadRole, channel: LoadChannel, payloadSize: Int, tally: Tally) {
        self.role = role
        self.tally = tally
        self.channel = channel
        payload = [UInt8](repeating: 0x5a, count: payloadSize)[...]
    }

    func connected(_ out: inout [UInt8]) {
        let request =
            "GET /kith/v1 HTTP/1.1\r\nhost: relay\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            + "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        out.append(contentsOf: request.utf8)
    }

    func received(_ bytes: UnsafeRawBufferPointer, _ out: inout [UInt8]) throws {
        if isUpgraded {
            try decoder.feed(bytes) { try receive($0) }
        } else {
            try upgrade(bytes)
        }
        fill()
        takeOutput(&out)
    }

    private func upgrade(_ bytes: UnsafeRawBufferPointer) throws {
        head.append(contentsOf: bytes)
        guard let end = head.indices.dropLast(3).first(where: { head[$0..<$0 + 4].elementsEqual("\r\n\r\n".utf8) })
        else { return }
        guard head.starts(with: "HTTP/1.1 101".utf8) else { throw LoadFailure("no upgrade to a WebSocket") }
        isUpgraded = true
        write(.hello(versions: [1], relayPass: nil), id: 1)
        let rest = Array(head[(end + 4)...])
        head = []
        try rest.withUnsafeBytes { try decoder.feed($0) { try receive($0) } }
    }

    func send(_ out: inout [UInt8]) {
        fill()
        takeOutput(&out)
    }

    private func fill() {
        guard case .sender(let limit) = role, isReady else { return }
        while inFlight < limit, tally.quota > 0 {
            tally.quota -= 1
            inFlight += 1
            requestID &+= 1
            write(.append(channel: channel.id, epoch: 0, id: .random(using: &ids), payload: payload), id: requestID)
        }
    }

    private func takeOutput(_ out: inout [UInt8]) {
        out.append(contentsOf: writer.bytes)
        writer.removeAll(keepingUpTo: writer.bytes.count < 512 ? 0 : .max)
    }

    private func write(_ request: Request, id: UInt32) {
        // The mask is constant: over TLS it protects nothing, and the load should cost little.
        writer.write(ClientFrame(requestID: id, request: request), mask: 0x1234_5678)
    }

    private func receive(_ message: WebSocketMessage) throws {
        guard case .binary(let bytes) = message else { return }
        switch try RelayFrame(decoding: bytes).reply {
        case .welcome:
            greeted()
        case .granted:
            if case .sender = role { isReady = true }
        case .following:
            isReady = true
        case .accepted:
            inFlight -= 1
            tally.acknowledged(1)
        case .entries(_, let entries):
            tally.delivered(entries.count)
        case .error(let error):
            throw error
        default:
            break
        }
    }

    private func greeted() {
        let present = Request.present(channel: channel.id, epoch: 0, tokens: [channel.token])
        let follow = Request.follow(channel: channel.id, epoch: 0, fromSeq: 1)
        switch role {
        case .receiver:
            let grant = Grant(for: channel.token)
            let access = Access(read: grant, append: grant, turn: grant)
            write(.create(channel: channel.id, access: access, retentionSeconds: nil), id: 2)
            write(present, id: 3)
            write(follow, id: 4)
        case .follower:
            write(present, id: 3)
            write(follow, id: 4)
        case .sender:
            write(present, id: 3)
        case .idle:
            isReady = true
        }
    }
}
