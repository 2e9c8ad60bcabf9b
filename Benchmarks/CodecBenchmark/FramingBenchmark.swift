import Foundation
import KithWire
import NIOCore
import NIOEmbedded
import NIOWebSocket
import TLSCodec

/// Measures the WebSocket framing that a relay needs, by Kith's code and by NIOWebSocket. A relay decodes masked frames, and
/// encodes frames without a mask.
///
/// NIOWebSocket runs in a pipeline of its own, as in the programs that use it. Kith's decoder and writer run without a
/// pipeline, because the handler of a connection calls them directly.
struct FramingBenchmark {
    /// Number of bytes in each message.
    let size: Int
    /// Number of frames that arrive in one read, and that leave in one write.
    let framesPerRead: Int

    private static let frames = 20_000
    private var reads: Int { Self.frames / framesPerRead }
    private let mask: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]

    /// CPU time per frame, in nanoseconds.
    struct Result {
        let decode: Double
        let decodeNIO: Double
        let encode: Double
        let encodeNIO: Double
    }

    private var payload: [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) } }

    /// The bytes of one read: masked binary frames of a client.
    private var input: [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<framesPerRead {
            bytes.append(0x82)
            if size <= 125 {
                bytes.append(0x80 | UInt8(size))
            } else {
                bytes += [0x80 | 126, UInt8(size >> 8), UInt8(size & 0xff)]
            }
            bytes += mask
            bytes += payload.enumerated().map { $1 ^ mask[$0 & 3] }
        }
        return bytes
    }

    func run() throws -> Result {
        var checksum = 0
        let decode = try nanoseconds { checksum &+= try decodeAll() }
        let decodeNIO = try nanoseconds { checksum &-= try decodeAllByNIO() }
        let encode = try nanoseconds { checksum &+= encodeAll() }
        let encodeNIO = try nanoseconds { checksum &-= try encodeAllByNIO() }
        guard checksum == 0 else { throw Mismatch() }
        return Result(decode: decode, decodeNIO: decodeNIO, encode: encode, encodeNIO: encodeNIO)
    }

    /// Kith's code and NIOWebSocket did not process the same bytes.
    struct Mismatch: Error {}

    // MARK: Kith's

    private func decodeAll() throws -> Int {
        let input = input
        var decoder = WebSocketDecoder(from: .client)
        var sum = 0
        for _ in 0..<reads {
            try input.withUnsafeBytes { bytes in
                try decoder.feed(bytes) { message in
                    if case .binary(let content) = message { sum &+= content.count &+ Int(content[size / 2]) }
                }
            }
        }
        return sum
    }

    private func encodeAll() -> Int {
        let content = EncodedBytes(bytes: payload)
        var writer = WebSocketWriter()
        var sum = 0
        for _ in 0..<reads {
            for _ in 0..<framesPerRead { writer.write(content) }
            sum &+= writer.bytes.count
            writer.removeAll()
        }
        return sum
    }

    // MARK: NIOWebSocket's

    private func decodeAllByNIO() throws -> Int {
        let channel = EmbeddedChannel()
        let collector = FrameCollector(middle: size / 2)
        try channel.pipeline.syncOperations.addHandler(
            ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: WireLimits.frame)))
        try channel.pipeline.syncOperations.addHandler(collector)
        let input = ByteBuffer(bytes: input)
        for _ in 0..<reads { try channel.writeInbound(input) }
        _ = try channel.finish(acceptAlreadyClosed: true)
        return collector.sum
    }

    private func encodeAllByNIO() throws -> Int {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(WebSocketFrameEncoder())
        let frame = WebSocketFrame(fin: true, opcode: .binary, data: ByteBuffer(bytes: payload))
        var sum = 0
        for _ in 0..<reads {
            for _ in 0..<framesPerRead { channel.write(frame, promise: nil) }
            channel.flush()
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) { sum &+= buffer.readableBytes }
        }
        _ = try channel.finish(acceptAlreadyClosed: true)
        return sum
    }

    /// Receives frames at the end of NIO's pipeline, and unmasks them, because the relay would need them unmasked.
    private final class FrameCollector: ChannelInboundHandler {
        typealias InboundIn = WebSocketFrame

        private(set) var sum = 0
        private let middle: Int

        init(middle: Int) { self.middle = middle }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let content = unwrapInboundIn(data).unmaskedData
            sum &+= content.readableBytes
            sum &+= content.getInteger(at: content.readerIndex + middle, as: UInt8.self).map(Int.init) ?? 0
        }
    }

    /// Returns the CPU time of this thread per frame in the fastest of several runs, in nanoseconds.
    private func nanoseconds(_ body: () throws -> Void) throws -> Double {
        var best = Double.infinity
        for _ in 0..<15 {
            let before = threadNanoseconds
            try body()
            best = min(best, threadNanoseconds - before)
        }
        return best / Double(Self.frames)
    }

    private var threadNanoseconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}

/// Bytes whose encoding is the bytes themselves.
private struct EncodedBytes: TLSEncodable {
    let bytes: [UInt8]
    func encode(into writer: inout TLSWriter) { writer.writeBytes(bytes) }
}
