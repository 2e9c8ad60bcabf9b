import Foundation
import KithClient
import KithWire
import NIOCore
import RelayTestSupport
import TestSupport
import Testing

extension RelayProcesses {
    /// Attacks that are cheap for the attacker and must not harm the relay.
    @Suite("Attacks")
    struct AttackTests {
        @Test("many HTTP requests in one write get one answer", .timeLimit(.minutes(10)))
        func manyPages() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let wire = try await WireClient.connect(to: relay.address)
            let request = "GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n"
            wire.send(Array(String(repeating: request, count: 2_000).utf8))
            let text = String(decoding: try await wire.everything(), as: UTF8.self)
            #expect(text.components(separatedBy: "HTTP/1.1 200 OK").count - 1 == 1)
            #expect(relay.isAlive)
            try await relay.kill9()
        }

        @Test("upgrades on wrong paths and in wrong forms do no harm", .timeLimit(.minutes(10)))
        func oddUpgrades() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let upgrade = String(decoding: WireClient.upgradeRequest, as: UTF8.self)
            let page = "GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n"
            let odd = [
                page + upgrade, upgrade + upgrade, upgrade + page, page + page + upgrade + page,
                upgrade.replacing("GET", with: "POST"), upgrade.replacing("/kith/v1", with: "/"),
                upgrade.replacing("\r\n\r\n", with: "\r\nContent-Length: 5\r\n\r\nhello"),
                upgrade.replacing("\r\n\r\n", with: "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
                upgrade.replacing("\r\n\r\n", with: "\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"),
                upgrade.replacing("websocket", with: "h2c, websocket"), upgrade.replacing("13", with: "12"),
                upgrade.replacing("dGhlIHNhbXBsZSBub25jZQ==", with: "x"),
                upgrade.replacing("HTTP/1.1", with: "HTTP/1.0"),
                upgrade.replacing("HTTP/1.1", with: "HTTP/9.9"), "\r\n\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "GET /metrics?\(String(repeating: "x", count: 2_000)) HTTP/1.1\r\nHost: r\r\n\r\n",
                "HEAD /metrics HTTP/1.1\r\n\r\n",
            ]
            for text in odd {
                let wire = try await WireClient.connect(to: relay.address)
                wire.send(Array(text.utf8))
                // Blank lines before a request get no answer.
                if !text.allSatisfy(\.isNewline) {
                    try await eventually("an answer to \(text)") { wire.bytesReceived > 0 || wire.isOver }
                }
                var writer = WebSocketWriter()
                writer.write(ClientFrame(requestID: 1, request: .hello(versions: [1], relayPass: nil)), mask: 1)
                let before = wire.bytesReceived
                wire.send(writer.bytes)
                try await eventually("an answer to hello") { wire.bytesReceived > before || wire.isOver }
                #expect(relay.isAlive, "\(text)")
                wire.close()
            }
            _ = try await relay.connect().request(.ping)
            try await relay.kill9()
        }

        @Test("a deposit of a million empty key packages is refused before it is decoded", .timeLimit(.minutes(10)))
        func emptyPackages() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let wire = try await WireClient.open(to: relay.address)
            let frame = IllegalFrame.deposit(of: KnownChannel().id, emptyPackages: 1_000_000)
            var writer = WebSocketWriter()
            writer.write(Raw(bytes: frame), mask: 1)
            wire.send(writer.bytes)
            let reply = try await wire.nextFrame().reply
            guard case .error(let error) = reply else { throw UnexpectedReply(reply) }
            print("a million empty key packages: \(error)")
            #expect(error.code == .tooLarge)
            try await relay.kill9()
        }

        @Test("frames over the size limit count against the rate like any other", .timeLimit(.minutes(10)))
        func tooLargeAndTooFast() async throws {
            let relay = try await RelayProcess.start(
                in: RelayFolder(), limits: ["requests-per-second": 10, "request-burst": 10])
            let wire = try await WireClient.open(to: relay.address)
            let lookup = Raw(bytes: [13, 0, 0, 0, 1, 0x40, 100] + [UInt8](repeating: UInt8(ascii: "a"), count: 100))
            var writer = WebSocketWriter()
            for _ in 0..<30 { writer.write(lookup, mask: 1) }
            wire.send(writer.bytes)
            var codes: [RelayError.Code] = []
            for _ in 0..<30 {
                if case .error(let error) = try await wire.nextFrame().reply { codes.append(error.code) }
            }
            #expect(codes == Array(repeating: .tooLarge, count: 30))
            #expect(try await relay.metric("connections_paused_total") > 0)
            try await relay.kill9()
        }

        @Test(
            "numbers at the ends of their ranges are refused or answered, and none overflows",
            .timeLimit(.minutes(10)))
        func extremes() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let client = try await relay.connect()
            let channel = KnownChannel()
            try await client.open(channel)
            try await client.append([1], to: channel)
            let numbers: [UInt64] = [
                0, 1, 2, UInt64(Int64.max) - 1, UInt64(Int64.max), UInt64(Int64.max) + 1, .max - 1, .max,
            ]
            for epoch in numbers {
                for seq in numbers {
                    let wire = try await WireClient.open(to: relay.address)
                    wire.send([
                        ClientFrame(
                            requestID: 1, request: .present(channel: channel.id, epoch: 0, tokens: channel.tokens)),
                        ClientFrame(
                            requestID: 2, request: .present(channel: channel.id, epoch: epoch, tokens: channel.tokens)),
                        ClientFrame(requestID: 3, request: .follow(channel: channel.id, epoch: epoch, fromSeq: seq)),
                        ClientFrame(requestID: 4, request: .follow(channel: channel.id, epoch: 0, fromSeq: seq)),
                        ClientFrame(
                            requestID: 5,
                            request: .append(channel: channel.id, epoch: epoch, id: .random(), payload: [])),
                        ClientFrame(requestID: 6, request: .whisper(channel: channel.id, epoch: epoch, payload: [])),
                        ClientFrame(requestID: 7, request: .unfollow(channel: channel.id)),
                    ])
                    while try await wire.nextFrame().requestID != 7 {}
                    wire.close()
                }
            }
            let entries = try await client.entries(of: channel)
            #expect(entries.map(\.seq) == Array(1...UInt64(1 + numbers.count)))
            try await relay.kill9()
        }
    }
}

/// Frames that are no encoding of a `ClientFrame`.
enum IllegalFrame {
    static func deposit(of channel: ChannelID, emptyPackages: Int) -> [UInt8] {
        let length = UInt32(emptyPackages) | 0x8000_0000
        return [10, 0, 0, 0, 1] + channel.bytes + withUnsafeBytes(of: length.bigEndian) { Array($0) }
            + [UInt8](repeating: 0, count: emptyPackages) + [0]
    }
}
