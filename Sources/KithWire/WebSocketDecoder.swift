/// A complete message or control frame of a WebSocket (RFC 6455 §5.4–5.6).
package enum WebSocketMessage: Hashable, Sendable {
    /// A whole binary message, assembled from its fragments.
    case binary([UInt8])
    /// A fragment of a binary message has arrived. More fragments of the message follow. The whole message is delivered later, as
    /// ``binary(_:)``. This case only shows that the peer has sent a frame.
    case fragment
    /// A request for a pong with the same content (§5.5.2).
    case ping([UInt8])
    /// The answer to a ping, or a sign that the peer is alive (§5.5.3).
    case pong
    /// The peer closes the connection (§5.5.1), with a status code if the peer gave one.
    case close(code: UInt16?)
}

/// A fault that closes a WebSocket. The raw value is the status code with which the WebSocket closes (RFC 6455 §7.4.1).
public enum WebSocketError: UInt16, Error, Sendable {
    /// A frame that RFC 6455 forbids.
    case protocolError = 1002
    /// A text message. Kith uses binary messages only.
    case unsupportedData = 1003
    /// A close frame whose reason is not UTF-8.
    case invalidText = 1007
    /// A message that is longer than the decoder's limit.
    case messageTooBig = 1009
}

/// Decodes WebSocket frames (RFC 6455 §5) that arrive in pieces of any size. Stores at most one incomplete message, plus the
/// input after a message for which `deliver` returned `false`.
///
/// Kith has its own decoder for speed: framing is most of the relay's work for a message. This decoder makes one allocation per
/// message: the delivered bytes.
package struct WebSocketDecoder: Sendable {
    /// The side that sends the frames. Clients mask their frames, servers do not (§5.1).
    package enum Peer: Sendable {
        /// Frames must be masked.
        case client
        /// Frames must not be masked.
        case server
    }

    private let peer: Peer
    private let limit: Int
    /// Received bytes that are not decoded yet. Bytes stay undecoded if their frame is incomplete, or after `deliver` has
    /// returned `false`.
    private var pending: [UInt8] = []
    /// Index of the first byte of ``pending`` that has not been decoded.
    private var pendingFrom = 0
    private var isStopped = false
    /// The payload of the fragments so far; `nil` outside of a fragmented message.
    private var fragments: [UInt8]?

    /// Creates a decoder for the frames that `peer` sends.
    ///
    /// - Parameter limit: the longest message accepted, in bytes.
    package init(from peer: Peer, limit: Int = WireLimits.frame) {
        self.peer = peer
        self.limit = limit
    }

    /// Number of received bytes that are not decoded yet, or whose message is not complete yet.
    package var buffered: Int { pending.count - pendingFrom + (fragments?.count ?? 0) }

    /// Decodes the next bytes. Passes each complete message to `deliver`, in order.
    ///
    /// - Throws: ``WebSocketError``, or the error that `deliver` throws. Messages before the offending frame were delivered.
    ///   After an error, the decoder is unusable.
    package mutating func feed(
        _ input: UnsafeRawBufferPointer, deliver: (WebSocketMessage) throws -> Void
    ) throws {
        try push(input) { message in
            try deliver(message)
            return true
        }
    }

    /// Decodes like ``feed(_:deliver:)``, until `deliver` returns `false`. After `deliver` has returned `false`, the decoder
    /// stores its input undecoded until ``resume(while:)`` is called.
    package mutating func push(
        _ input: UnsafeRawBufferPointer, while deliver: (WebSocketMessage) throws -> Bool
    ) throws {
        guard pending.isEmpty, !isStopped else {
            pending.append(contentsOf: input)
            if !isStopped { try decodePending(deliver) }
            return
        }
        let consumed = try decode(input, deliver)
        if consumed < input.count { pending = Array(input[consumed...]) }
    }

    /// Continues with the stored input after `deliver` returned `false`.
    package mutating func resume(while deliver: (WebSocketMessage) throws -> Bool) throws {
        isStopped = false
        try decodePending(deliver)
    }

    private mutating func decodePending(_ deliver: (WebSocketMessage) throws -> Bool) throws {
        guard !pending.isEmpty else { return }
        // The property is empty during the decoding, so that the array has one owner and is not copied.
        let bytes = pending
        pending = []
        let from = pendingFrom
        pendingFrom = 0
        let end = try bytes.withUnsafeBytes { buffer throws in
            from + (try decode(UnsafeRawBufferPointer(rebasing: buffer[from...]), deliver))
        }
        guard end < bytes.count else { return }
        // The rest moves to the front only if it is the smaller part. Therefore, many small steps together copy no more bytes
        // than the input has.
        if end * 2 > bytes.count {
            pending = Array(bytes[end...])
        } else {
            pending = bytes
            pendingFrom = end
        }
    }

    /// Decodes whole frames from the front of `input`. Returns the number of decoded bytes.
    private mutating func decode(
        _ input: UnsafeRawBufferPointer, _ deliver: (WebSocketMessage) throws -> Bool
    ) throws -> Int {
        var offset = 0
        while true {
            let rest = UnsafeRawBufferPointer(rebasing: input[offset...])
            guard let header = try FrameHeader(rest, from: peer, limit: limit) else { return offset }
            guard rest.count >= header.size + header.length else { return offset }
            let payload = header.unmasked(
                UnsafeRawBufferPointer(rebasing: rest[header.size..<header.size + header.length]))
            offset += header.size + header.length
            guard try deliver(message(header, payload)) else {
                isStopped = true
                return offset
            }
        }
    }

    private mutating func message(_ header: FrameHeader, _ payload: [UInt8]) throws(WebSocketError) -> WebSocketMessage
    {
        switch header.opcode {
        case .ping:
            return .ping(payload)
        case .pong:
            return .pong
        case .close:
            return .close(code: try closeCode(payload))
        case .text:
            throw .unsupportedData
        case .binary:
            guard fragments == nil else { throw .protocolError }
            if header.isFinal { return .binary(payload) }
            fragments = payload
            return .fragment
        case .continuation:
            guard var whole = fragments else { throw .protocolError }
            guard whole.count + payload.count <= limit else { throw .messageTooBig }
            fragments = nil
            whole.append(contentsOf: payload)
            if header.isFinal { return .binary(whole) }
            fragments = whole
            return .fragment
        }
    }

    /// The status code of a close frame (RFC 6455 §5.5.1); `nil` if the frame has none.
    private func closeCode(_ payload: [UInt8]) throws(WebSocketError) -> UInt16? {
        guard !payload.isEmpty else { return nil }
        guard payload.count >= 2 else { throw .protocolError }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        // §7.4: 1004 to 1006 and 1015 never appear in a frame, and all other codes outside the ranges below are undefined.
        guard (1000...1003).contains(code) || (1007...1014).contains(code) || (3000...4999).contains(code) else {
            throw .protocolError
        }
        guard String(validating: payload.dropFirst(2), as: UTF8.self) != nil else { throw .invalidText }
        return code
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
    /// Length of the header in bytes.
    let size: Int

    /// Reads a header, or returns `nil` if the bytes end inside it. Checks everything that does not depend on the payload.
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
