import TLSCodec

/// Encodes WebSocket frames (RFC 6455 §5.2) into one buffer, so that one write sends many messages.
package struct WebSocketWriter: Sendable {
    /// The finished frames, in order.
    package private(set) var bytes: [UInt8] = []
    private var content = TLSWriter()

    /// Creates an empty writer.
    package init() {}

    /// Whether the buffer is empty.
    package var isEmpty: Bool { bytes.isEmpty }

    /// Removes the finished frames. Keeps the buffer's memory for the next frames.
    ///
    /// - Parameter limit: the maximum size of the kept memory, in bytes.
    package mutating func removeAll(keepingUpTo limit: Int = .max) {
        if bytes.capacity > limit { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
        content.removeAll(keepingUpTo: limit)
    }

    /// Appends a binary message with the encoding of `value`.
    ///
    /// - Parameter mask: four unpredictable bytes if a client writes (§5.3), `nil` if a server writes.
    package mutating func write(_ value: some TLSEncodable, mask: UInt32? = nil) {
        content.removeAll()
        value.encode(into: &content)
        write(.binary, content.bytes, mask: mask)
    }

    /// Appends a relay frame that was encoded once for many followers. Replaces the frame's request number by `requestID`.
    package mutating func write(encoded frame: [UInt8], requestID: UInt32) {
        write(.binary, frame, mask: nil)
        // The request number is behind the frame's type byte.
        let offset = bytes.count - frame.count + 1
        guard frame.count >= 5 else { return }
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: requestID >> (24 - 8 * UInt32(index))) }
    }

    /// Appends the pong for a ping with this content.
    package mutating func writePong(_ content: [UInt8], mask: UInt32? = nil) { write(.pong, content, mask: mask) }

    /// Appends a close frame with a status code.
    package mutating func writeClose(code: UInt16, mask: UInt32? = nil) {
        write(.close, [UInt8(code >> 8), UInt8(code & 0xff)], mask: mask)
    }

    private mutating func write(_ opcode: WebSocketOpcode, _ payload: [UInt8], mask: UInt32?) {
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        bytes.append(0x80 | opcode.rawValue)
        if payload.count <= 125 {
            bytes.append(maskBit | UInt8(payload.count))
        } else if payload.count <= 0xffff {
            bytes.append(maskBit | 126)
            bytes.append(UInt8(payload.count >> 8))
            bytes.append(UInt8(payload.count & 0xff))
        } else {
            bytes.append(maskBit | 127)
            withUnsafeBytes(of: UInt64(payload.count).bigEndian) { bytes.append(contentsOf: $0) }
        }
        guard let mask else {
            bytes.append(contentsOf: payload)
            return
        }
        withUnsafeBytes(of: mask) { bytes.append(contentsOf: $0) }
        let start = bytes.count
        bytes.append(contentsOf: payload)
        bytes.withUnsafeMutableBytes { xor(UnsafeMutableRawBufferPointer(rebasing: $0[start...]), with: mask) }
    }
}
