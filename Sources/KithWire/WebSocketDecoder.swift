/// A complete message or control frame of a WebSocket (RFC 6455 §5.4–5.6).
public enum WebSocketMessage: Hashable, Sendable {
    /// A whole binary message, put together from its fragments.
    case binary([UInt8])
    /// Wants a pong with the same content (§5.5.2).
    case ping([UInt8])
    /// Answers a ping, or just says "still here" (§5.5.3).
    case pong
    /// The other side is closing (§5.5.1), with its status code if it gave one.
    case close(code: UInt16?)
}

/// Why a WebSocket has to be closed. The number of each is the status code to close with (RFC 6455 §7.4.1).
public enum WebSocketError: UInt16, Error, Sendable {
    /// A frame that RFC 6455 forbids.
    case protocolError = 1002
    /// A text message; Kith has binary ones only.
    case unsupportedData = 1003
    /// A message over the decoder's limit.
    case messageTooBig = 1009
}

/// Takes WebSocket frames apart (RFC 6455 §5), in whatever pieces they arrive. Holds no more than one message.
///
/// Kith has its own instead of a library's because a frame is most of what happens to a message in the relay: this one
/// makes one allocation for each message, the bytes that are handed on.
public struct WebSocketDecoder: Sendable {
    /// Which side this decoder listens to: clients mask their frames, servers do not (§5.1).
    public enum Peer: Sendable {
        /// Frames must be masked.
        case client
        /// Frames must not be masked.
        case server
    }

    private let peer: Peer
    private let limit: Int
    /// Bytes that do not make a whole frame yet.
    private var pending: [UInt8] = []
    /// The payload of the fragments so far, while a fragmented message is under way.
    private var fragments: [UInt8]?

    /// A decoder for what `peer` sends.
    ///
    /// - Parameter limit: the longest message accepted, in bytes.
    public init(from peer: Peer, limit: Int = WireLimits.frame) {
        self.peer = peer
        self.limit = limit
    }

    /// How many bytes wait for the rest of their frame or message.
    public var buffered: Int { pending.count + (fragments?.count ?? 0) }

    /// Takes the next bytes and hands each message they complete to `deliver`, in order.
    ///
    /// - Throws: ``WebSocketError``; what came before the offending frame was delivered. Feed nothing more after that.
    public mutating func feed(
        _ input: UnsafeRawBufferPointer, deliver: (WebSocketMessage) throws -> Void
    ) throws {
        guard !pending.isEmpty else {
            let consumed = try decode(input, deliver: deliver)
            if consumed < input.count { pending = Array(input[consumed...]) }
            return
        }
        pending.append(contentsOf: input)
        // Out of the property, so that the loop reads an array nobody else can change.
        let bytes = pending
        pending = []
        let consumed = try bytes.withUnsafeBytes { buffer throws in try decode(buffer, deliver: deliver) }
        if consumed == 0 {
            pending = bytes
        } else if consumed < bytes.count {
            pending = Array(bytes[consumed...])
        }
    }

    /// Decodes whole frames from the front of `input`; returns how many bytes they took.
    private mutating func decode(
        _ input: UnsafeRawBufferPointer, deliver: (WebSocketMessage) throws -> Void
    ) throws -> Int {
        var offset = 0
        while true {
            let rest = UnsafeRawBufferPointer(rebasing: input[offset...])
            guard let header = try FrameHeader(rest, from: peer, limit: limit) else { return offset }
            guard rest.count >= header.size + header.length else { return offset }
            let payload = header.unmasked(
                UnsafeRawBufferPointer(rebasing: rest[header.size..<header.size + header.length]))
            offset += header.size + header.length
            if let message = try message(header, payload) { try deliver(message) }
        }
    }

    private mutating func message(_ header: FrameHeader, _ payload: [UInt8]) throws(WebSocketError) -> WebSocketMessage?
    {
        switch header.opcode {
        case .ping:
            return .ping(payload)
        case .pong:
            return .pong
        case .close:
            if payload.count == 1 { throw .protocolError }
            return .close(code: payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil)
        case .text:
            throw .unsupportedData
        case .binary:
            guard fragments == nil else { throw .protocolError }
            if header.isFinal { return .binary(payload) }
            fragments = payload
            return nil
        case .continuation:
            guard var whole = fragments else { throw .protocolError }
            guard whole.count + payload.count <= limit else { throw .messageTooBig }
            fragments = nil
            whole.append(contentsOf: payload)
            if header.isFinal { return .binary(whole) }
            fragments = whole
            return nil
        }
    }
}

enum WebSocketOpcode: UInt8 {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    var isControl: Bool { rawValue >= 8 }
}

/// The fields in front of a frame's payload (RFC 6455 §5.2).
private struct FrameHeader {
    let isFinal: Bool
    let opcode: WebSocketOpcode
    let mask: UInt32?
    let length: Int
    /// How many bytes the header takes.
    let size: Int

    /// `nil` while there are too few bytes. Checks everything that can be checked before the payload is there.
    init?(_ input: UnsafeRawBufferPointer, from peer: WebSocketDecoder.Peer, limit: Int) throws(WebSocketError) {
        guard input.count >= 2 else { return nil }
        guard input[0] & 0x70 == 0, let opcode = WebSocketOpcode(rawValue: input[0] & 0x0f) else {
            throw .protocolError
        }
        isFinal = input[0] & 0x80 != 0
        self.opcode = opcode
        let isMasked = input[1] & 0x80 != 0
        guard isMasked == (peer == .client) else { throw .protocolError }

        let short = Int(input[1] & 0x7f)
        if opcode.isControl { guard isFinal, short <= 125 else { throw .protocolError } }
        let lengthSize: Int
        switch short {
        case 126:
            lengthSize = 2
            guard input.count >= 4 else { return nil }
            length = Int(input[2]) << 8 | Int(input[3])
            guard length > 125 else { throw .protocolError }
        case 127:
            lengthSize = 8
            guard input.count >= 10 else { return nil }
            let long = (2..<10).reduce(0 as UInt64) { $0 << 8 | UInt64(input[$1]) }
            guard long > 0xffff else { throw .protocolError }
            guard long <= limit else { throw .messageTooBig }
            length = Int(long)
        default:
            lengthSize = 0
            length = short
        }
        guard length <= limit else { throw .messageTooBig }

        let maskOffset = 2 + lengthSize
        size = maskOffset + (isMasked ? 4 : 0)
        guard input.count >= size else { return nil }
        mask = isMasked ? input.loadUnaligned(fromByteOffset: maskOffset, as: UInt32.self) : nil
    }

    func unmasked(_ payload: UnsafeRawBufferPointer) -> [UInt8] {
        Array(unsafeUninitializedCapacity: payload.count) { output, count in
            let target = UnsafeMutableRawBufferPointer(output)
            target.copyMemory(from: payload)
            if let mask { xor(target, with: mask) }
            count = payload.count
        }
    }
}

/// Masks or unmasks in place (RFC 6455 §5.3), eight bytes at a time. `mask` is in memory order.
func xor(_ bytes: UnsafeMutableRawBufferPointer, with mask: UInt32) {
    let wide = UInt64(mask) << 32 | UInt64(mask)
    var offset = 0
    while offset + 8 <= bytes.count {
        bytes.storeBytes(
            of: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ wide, toByteOffset: offset,
            as: UInt64.self)
        offset += 8
    }
    withUnsafeBytes(of: wide) { mask in
        while offset < bytes.count {
            bytes[offset] ^= mask[offset & 3]
            offset += 1
        }
    }
}
