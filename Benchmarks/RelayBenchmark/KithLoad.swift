import Crypto
import KithWire
import NIOCore

/// What the load measures: shared by all connections of one event loop.
final class Tally {
    var delivered = 0
    var acknowledged = 0
    var ready = 0
    /// Called with each delivery and acknowledgement.
    var latencies: [Int64] = []
    var isSending = false
    /// Called when `ready` changed.
    var onReady: () -> Void = {}
    /// Called when something was delivered or acknowledged.
    var onProgress: () -> Void = {}
}

struct LoadFailure: Error, CustomStringConvertible {
    let description: String
}

/// One Kith connection: opens its WebSocket, says hello, and then does what its role wants.
final class KithLoad: LoadProtocol {
    enum Role {
        /// Creates the channel, follows it, and counts what it is sent.
        case receiver
        /// Keeps so many appends unanswered while the tally sends.
        case sender(inFlight: Int)
        /// Says hello and nothing more.
        case idle
    }

    private let role: Role
    private let tally: Tally
    private let channel: ChannelID
    private let token: Token
    private let payload: ArraySlice<UInt8>
    private var decoder = WebSocketDecoder(from: .server)
    private var writer = WebSocketWriter()
    private var requestID: UInt32 = 10
    private var isUpgraded = false
    private var head: [UInt8] = []
    private var random = SystemRandomNumberGenerator()
    private(set) var inFlight = 0
    private var sentAt: [UInt32: NIODeadline] = [:]
    private let measures: Bool

    init(
        role: Role, tally: Tally, channel: ChannelID, token: Token, payloadSize: Int = 200, measures: Bool = false
    ) {
        self.role = role
        self.tally = tally
        self.channel = channel
        self.token = token
        self.measures = measures
        payload = [UInt8](repeating: 0x5a, count: payloadSize)[...]
    }

    func connected(_ out: inout [UInt8]) {
        let request =
            "GET /kith/v1 HTTP/1.1\r\nhost: relay\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            + "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        out.append(contentsOf: request.utf8)
    }

    func received(_ bytes: UnsafeRawBufferPointer, _ out: inout [UInt8]) throws {
        var bytes = bytes
        if !isUpgraded {
            head.append(contentsOf: bytes)
            guard let end = head.indices.dropLast(3).first(where: { head[$0..<$0 + 4].elementsEqual("\r\n\r\n".utf8) })
            else { return }
            guard head.starts(with: "HTTP/1.1 101".utf8) else { throw LoadFailure(description: "not upgraded") }
            isUpgraded = true
            write(.hello(versions: [1], relayPass: nil), id: 1)
            let rest = Array(head[(end + 4)...])
            head = []
            try rest.withUnsafeBytes { try decoder.feed($0, deliver: receive) }
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        }
        if !bytes.isEmpty { try decoder.feed(bytes, deliver: receive) }
        fill()
        out.append(contentsOf: writer.bytes)
        writer.removeAll()
    }

    /// Starts sending, or sends what there is room for.
    func fill() {
        guard case .sender(let limit) = role, tally.isSending else { return }
        while inFlight < limit {
            requestID &+= 1
            inFlight += 1
            if measures { sentAt[requestID] = .now() }
            write(.append(channel: channel, epoch: 0, id: .random(using: &random), payload: payload), id: requestID)
        }
    }

    func takeOutput(_ out: inout [UInt8]) {
        out.append(contentsOf: writer.bytes)
        writer.removeAll()
    }

    private func write(_ request: Request, id: UInt32) {
        // A mask that does not change: over TLS it protects nothing, and the load should cost little.
        writer.write(ClientFrame(requestID: id, request: request), mask: 0x1234_5678)
    }

    private func receive(_ message: WebSocketMessage) throws {
        guard case .binary(let bytes) = message else { return }
        let frame = try RelayFrame(decoding: bytes)
        switch frame.reply {
        case .welcome:
            switch role {
            case .receiver, .sender:
                let grant = Grant(for: token)
                let access = Access(read: grant, append: grant, turn: grant)
                write(.create(channel: channel, access: access, retentionSeconds: nil), id: 2)
                write(.present(channel: channel, epoch: 0, tokens: [token]), id: 3)
                if case .receiver = role { write(.follow(channel: channel, epoch: 0, fromSeq: 1), id: 4) }
            case .idle:
                becomeReady()
            }
        case .granted:
            if case .sender = role { becomeReady() }
        case .following:
            becomeReady()
        case .accepted:
            inFlight -= 1
            tally.acknowledged += 1
            tally.onProgress()
        case .entries(_, let entries):
            tally.delivered += entries.count
            tally.onProgress()
        case .error(let error):
            throw error
        default:
            break
        }
    }

    private func becomeReady() {
        tally.ready += 1
        tally.onReady()
    }
}
