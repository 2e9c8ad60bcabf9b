import ArgumentParser
import Foundation
import TLSCodec

/// Measures the decoding and encoding of vectors, in comparison with a `memcpy` of the same bytes. Then measures WebSocket
/// framing, in comparison with NIOWebSocket.
@main
struct CodecBenchmark: ParsableCommand {
    @Option(help: "Bytes in each opaque vector.")
    var size = 1024

    @Flag(help: "Print one JSON object.")
    var json = false

    /// Length of the frame in which the relay receives a message of 200 bytes, in bytes.
    private static let message = 260

    func run() throws {
        let count = 20_000
        let content = [UInt8](repeating: 7, count: size)
        var writer = TLSWriter(capacity: count * (size + 4))
        for _ in 0..<count { writer.writeOpaque(content) }
        let encoded = writer.bytes
        var checksum = 0

        let decode = try megabytesPerSecond(encoded.count) {
            var reader = TLSReader(encoded)
            while !reader.isAtEnd { checksum &+= try reader.readOpaque().count }
        }
        let touch = try megabytesPerSecond(encoded.count) {
            var reader = TLSReader(encoded)
            while !reader.isAtEnd { checksum &+= Int(try Array(reader.readOpaque())[0]) }
        }
        let encode = try megabytesPerSecond(encoded.count) {
            writer.removeAll()
            for _ in 0..<count { writer.writeOpaque(content) }
            checksum &+= writer.bytes.count
        }
        var copy = [UInt8](repeating: 0, count: encoded.count)
        let memcpy = try megabytesPerSecond(encoded.count) {
            copy.withUnsafeMutableBytes { $0.copyBytes(from: encoded) }
            checksum &+= Int(copy[0])
        }
        let framings = try [1, 100].map { frames in
            (frames, try FramingBenchmark(size: Self.message, framesPerRead: frames).run())
        }
        if json {
            let rows = framings.map { frames, result in
                "{\"framesPerRead\":\(frames),\"decodeNs\":\(Int(result.decode)),\"decodeNIONs\":\(Int(result.decodeNIO)),"
                    + "\"encodeNs\":\(Int(result.encode)),\"encodeNIONs\":\(Int(result.encodeNIO))}"
            }
            print(
                "{\"size\":\(size),\"decodeMBps\":\(decode),\"decodeAndCopyMBps\":\(touch),\"encodeMBps\":\(encode),"
                    + "\"memcpyMBps\":\(memcpy),\"framing\":[\(rows.joined(separator: ","))]}")
        } else {
            print("opaque vectors of \(size) bytes, MB/s")
            print("  decode as slices        \(decode)")
            print("  decode, each copied out \(touch)")
            print("  encode                  \(encode)")
            print("  memcpy of the same      \(memcpy)")
            print("WebSocket frames of \(Self.message) bytes, ns each, Kith / NIOWebSocket")
            for (frames, result) in framings {
                print("  \(frames) in a read: decode \(Int(result.decode)) / \(Int(result.decodeNIO))")
                print("  \(frames) in a write: encode \(Int(result.encode)) / \(Int(result.encodeNIO))")
            }
        }
        if checksum == 0 { throw ExitCode.failure }
    }

    /// Returns the throughput of the fastest of several runs.
    private func megabytesPerSecond(_ bytes: Int, _ body: () throws -> Void) throws -> Int {
        var best = Duration.seconds(1000)
        for _ in 0..<15 { best = min(best, try ContinuousClock().measure(body)) }
        let seconds = Double(best.components.attoseconds) / 1e18 + Double(best.components.seconds)
        return Int(Double(bytes) / seconds / 1e6)
    }
}
