import Crypto
import Foundation
import KithWire
import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import KithClient
@testable import KithCore

/// A relay that makes a connection write and reads nothing of it.
@Suite struct HostileRelayTests {
    /// The client's side of a connection, on a channel without a socket.
    private final class Wire {
        let channel = EmbeddedChannel()
        let outbox = Outbox()
        private let handler: RelayChannelHandler
        private var decoder = WebSocketDecoder(from: .client)

        /// A connection that has been welcomed.
        init() throws {
            let address = try #require(RelayAddress("127.0.0.1:1"))
            let opened = channel.eventLoop.makePromise(of: RelayWelcome.self)
            handler = RelayChannelHandler(
                address: address, pass: nil, outbox: outbox, timeouts: RelayTimeouts(), opened: opened)
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            channel.pipeline.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
            let request = String(buffer: try #require(try channel.readOutbound(as: ByteBuffer.self)))
            let field = "Sec-WebSocket-Key: "
            let key = try #require(request.split(separator: "\r\n").first { $0.hasPrefix(field) }).dropFirst(
                field.count)
            let proof = Insecure.SHA1.hash(data: Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
            try say(
                Array(
                    ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Accept: \(Data(proof).base64EncodedString())\r\n\r\n").utf8))
            let hello = try #require(try heard().frames.first)
            try say(RelayFrame(requestID: hello.requestID, reply: RelaySessionTests.welcome))
        }

        /// Writes what the relay says.
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

        func drain() throws { handler.drain(try channel.pipeline.syncOperations.context(handler: handler)) }

        /// What the connection has written.
        func heard() throws -> (frames: [ClientFrame], pongs: Int, bytes: Int) {
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
        // Of one that reads, each read is answered once.
        try wire.say(ping + ping)
        #expect(try wire.heard().pongs == 1)
        _ = try wire.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("a relay that calls for a frame again and again and reads none is left")
    func reactions() throws {
        let wire = try Wire()
        let start = wire.channel.eventLoop.makePromise(of: FollowStart.self)
        start.futureResult.whenComplete { _ in }
        let (id, channel) = (FollowID(value: 1), ChannelID.random())
        let buffer = FollowBuffer(backlog: Backlog(), start: start)
        _ = wire.outbox.put(.follow(id, channel: channel, epoch: 0, fromSeq: 1, buffer))
        try wire.drain()
        let follow = try #require(try wire.heard().frames.first)
        try wire.say(RelayFrame(requestID: follow.requestID, reply: .following(firstSeq: 1, lastSeq: 0)))
        _ = wire.outbox.put(.leave(id))
        try wire.drain()
        var unfollow = try #require(try wire.heard().frames.first).requestID

        wire.setReading(false)
        let refusal = RelayError(.tooFast, "slowly", retryAfterMs: 1)
        var bytes = 0
        for _ in 0..<10_000 where wire.channel.isActive {
            try wire.say(RelayFrame(requestID: unfollow, reply: .error(refusal)))
            let heard = try wire.heard()
            bytes += heard.bytes
            unfollow = heard.frames.first?.requestID ?? unfollow
        }
        #expect(!wire.channel.isActive)
        #expect(bytes < 1 << 20)
        _ = try? wire.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("counts that are no finite numbers are passed over")
    func counts() {
        for line in ["kith_a NaN", "kith_a inf", "kith_a -Inf", "kith_a 1e999", "kith_a x", "# HELP", "kith_a"] {
            #expect(RelayStatus.Metric(Substring(line)) == nil, "\(line)")
        }
        #expect(RelayStatus.Metric("kith_a 7")?.value == 7)
    }
}
