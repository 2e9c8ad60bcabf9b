import Foundation
import KithWire
import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import KithClient
@testable import KithCore

/// A connection to a hostile relay.
@Suite struct HostileRelayTests {
    /// Counts the reads that reach the socket.
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        private(set) var count = 0

        func reset() { count = 0 }

        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    /// The client's side of a connection, on a channel without a socket.
    private final class Wire {
        let channel = EmbeddedChannel()
        let reads = ReadCounter()
        let driver: ConnectionDriver
        private var decoder = WebSocketDecoder(from: .client)

        /// A connection that has been welcomed.
        init() throws {
            let address = try #require(RelayAddress("127.0.0.1:1"))
            let opened = channel.eventLoop.makePromise(of: RelayWelcome.self)
            let wire = RelayWire(on: channel.eventLoop)
            driver = ConnectionDriver(wire: wire, pass: nil, timeouts: RelayTimeouts(), opened: opened)
            let handler = RelayChannelHandler(
                address: address, check: PinCheck(.firstContact), handshakeTimeout: .seconds(3_600), wire: wire,
                user: driver)
            try channel.pipeline.syncOperations.addHandlers(reads, handler)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            channel.pipeline.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
            let request = String(buffer: try #require(try channel.readOutbound(as: ByteBuffer.self)))
            let field = "Sec-WebSocket-Key: "
            let key = try #require(request.split(separator: "\r\n").first { $0.hasPrefix(field) }).dropFirst(
                field.count)
            try say(
                Array(
                    ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Accept: \(WebSocketAccept.value(forKey: String(key)))\r\n\r\n").utf8))
            let hello = try #require(try heard().frames.first)
            try say(RelayFrame(requestID: hello.requestID, reply: Self.welcome))
        }

        private static let welcome = Reply.welcome(
            version: 1, relayID: Array(0..<16),
            limits: AdvertisedLimits(
                payload: 1 << 18, frame: 1 << 20, requestsPerSecond: 200, requestBurst: 400, idleSeconds: 300,
                follows: 10, retentionSeconds: 100), timeMs: 1_700_000_000_000)

        /// Writes bytes of the relay.
        func say(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

        func say(_ frame: RelayFrame) throws {
            var writer = WebSocketWriter()
            writer.write(frame)
            try say(writer.bytes)
        }

        /// Lets the relay read, or not.
        func setReading(_ isReading: Bool) {
            channel.isWritable = isReading
            channel.pipeline.fireChannelWritabilityChanged()
        }

        /// The connection's output.
        func heard() throws -> (frames: [ClientFrame], pongs: Int, bytes: Int) {
            channel.embeddedEventLoop.run()
            var (frames, pongs, bytes): ([ClientFrame], Int, Int) = ([], 0, 0)
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
                bytes += buffer.readableBytes
                try buffer.withUnsafeReadableBytes { input in
                    try decoder.feed(input) { message in
                        switch message {
                        case .binary(let frame): frames.append(try ClientFrame(decoding: frame))
                        case .pong: pongs += 1
                        default: break
                        }
                    }
                }
            }
            return (frames, pongs, bytes)
        }
    }

    @Test("any number of pings is answered by one pong, when the relay reads")
    func pings() throws {
        let wire = try Wire()
        let ping: [UInt8] = [0x89, 125] + [UInt8](repeating: 7, count: 125)
        wire.setReading(false)
        for _ in 0..<100 { try wire.say(Array(repeatElement(ping, count: 100).joined())) }
        #expect(try wire.heard().bytes == 0)
        wire.setReading(true)
        let heard = try wire.heard()
        #expect(heard.pongs == 1 && heard.bytes < 200)
        // If the relay reads, each read of the client is answered once.
        try wire.say(ping + ping)
        #expect(try wire.heard().pongs == 1)
        _ = try wire.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("a relay that calls for frames without end and reads none is left")
    func reactions() throws {
        let wire = try Wire()
        let queue = FollowQueue(unread: wire.driver.unread, start: wire.channel.eventLoop.makePromise())
        let channel = ChannelID.random()
        let id = wire.driver.follow(FollowTarget(channel, epoch: 0, fromSeq: 1), queue)
        let follow = try #require(try wire.heard().frames.first)
        try wire.say(RelayFrame(requestID: follow.requestID, reply: .following(firstSeq: 1, lastSeq: 0)))
        wire.driver.leave(id)
        var unfollow = try #require(try wire.heard().frames.first).requestID

        wire.setReading(false)
        let refusal = Reply.error(RelayError(.tooFast, "slowly", retryAfterMs: 1))
        for _ in 0..<2 * ClientLimits.unsentFrames / 1_000 where wire.channel.isActive {
            // Requests are numbered one after the other.
            var writer = WebSocketWriter()
            for _ in 0..<1_000 {
                writer.write(RelayFrame(requestID: unfollow, reply: refusal))
                unfollow += 1
            }
            try wire.say(writer.bytes)
            #expect(try wire.heard().frames.isEmpty)
        }
        #expect(!wire.channel.isActive)
        _ = try? wire.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("the socket is not read while a follow's reader takes nothing, and is read again afterwards")
    func backPressure() async throws {
        let wire = try Wire()
        let queue = FollowQueue(unread: wire.driver.unread, start: wire.channel.eventLoop.makePromise())
        let channel = ChannelID.random()
        _ = wire.driver.follow(FollowTarget(channel, epoch: 0, fromSeq: 1), queue)
        let follow = try #require(try wire.heard().frames.first)
        try wire.say(RelayFrame(requestID: follow.requestID, reply: .following(firstSeq: 1, lastSeq: 0)))
        let size = 1 << 18
        let whisper = RelayFrame(
            requestID: follow.requestID,
            reply: .whispered(channel: channel, epoch: 0, payload: [UInt8](repeating: 7, count: size)[...]))
        var sent = 0
        wire.reads.reset()
        wire.channel.pipeline.read()
        while wire.reads.count > 0 {
            wire.reads.reset()
            try wire.say(whisper)
            sent += 1
            wire.channel.pipeline.read()
        }
        #expect(sent == ClientLimits.unreadBytes / size)
        // Another request to read changes nothing.
        wire.channel.pipeline.read()
        #expect(wire.reads.count == 0)
        var reader = queue.makeIterator()
        var taken = 0
        while wire.reads.count == 0, taken < sent {
            _ = try await reader.next()
            taken += 1
            wire.channel.embeddedEventLoop.run()
        }
        #expect(wire.reads.count == 1 && taken == sent / 2 + 1)
        _ = try wire.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("metrics that are no finite numbers are ignored")
    func counts() {
        for line in ["kith_a NaN", "kith_a inf", "kith_a -Inf", "kith_a 1e999", "kith_a x", "# HELP", "kith_a"] {
            #expect(RelayStatus.Metric(Substring(line)) == nil, "\(line)")
        }
        #expect(RelayStatus.Metric("kith_a 7")?.value == 7)
    }
}
