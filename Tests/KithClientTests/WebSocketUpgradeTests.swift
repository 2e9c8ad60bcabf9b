import Testing

@testable import KithClient
@testable import KithCore

@Suite struct WebSocketUpgradeTests {
    /// The key and the answer to it from RFC 6455 §1.3.
    private func upgrade() throws -> WebSocketUpgrade {
        WebSocketUpgrade(to: try #require(RelayAddress("[::1]:7443")), key: "dGhlIHNhbXBsZSBub25jZQ==")
    }

    private let response = Array(
        """
        HTTP/1.1 101 Switching Protocols\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
        \r\n
        """.utf8)

    @Test("the request meets RFC 6455 §4.1")
    func request() throws {
        let text = String(decoding: try upgrade().request, as: UTF8.self)
        #expect(text.hasPrefix("GET /kith/v1 HTTP/1.1\r\nHost: [::1]:7443\r\n"))
        #expect(text.contains("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
        let address = try #require(RelayAddress("localhost:1"))
        #expect(WebSocketUpgrade(to: address).request != WebSocketUpgrade(to: address).request)
    }

    @Test("a response is read in pieces of any size, and later bytes are kept")
    func pieces() throws {
        for split in 0...response.count {
            var upgrade = try upgrade()
            let whole = response + [1, 2, 3]
            if split < response.count { #expect(try upgrade.feed(whole[..<split]) == .needsMore) }
            guard split < response.count else { continue }
            #expect(try upgrade.feed(whole[split...]) == .upgraded(rest: [1, 2, 3]))
        }
    }

    @Test("a response with any byte changed is refused, or means the same")
    func corruptions() throws {
        for index in response.indices {
            var corrupted = response
            corrupted[index] ^= 0x15
            var upgrade = try upgrade()
            do {
                if case .upgraded = try upgrade.feed(corrupted) {
                    // Only the reason phrase, and unread headers, may change.
                    let text = String(decoding: response, as: UTF8.self)
                    let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
                    let ends = lines.indices.map { line in lines[...line].reduce(0) { $0 + $1.utf8.count + 2 } }
                    let line = ends.firstIndex { index < $0 }
                    #expect((line == 0 && index >= 12) || line == 2, "byte \(index)")
                }
            } catch {
                // Refused, as expected.
                continue
            }
        }
    }

    @Test(
        "servers that are no WebSocket servers are told apart",
        arguments: [
            ("HTTP/1.1 404 Not Found\r\n\r\n", RelayConnectionError.NotARelay.httpStatus(404)),
            ("HTTP/1.1 503 Busy\r\nA: b\r\n\r\n", .httpStatus(503)),
            ("SSH-2.0-OpenSSH\r\n\r\n", .noWebSocket),
            ("HTTP/1.1 101 Fine\r\n\r\n", .noWebSocket),
            ("HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: bm90IGl0\r\n\r\n", .noWebSocket),
            ("HTTP/1.1 1e1 Fine\r\n\r\n", .noWebSocket),
        ])
    func refusals(response: String, expected: RelayConnectionError.NotARelay) throws {
        var upgrade = try upgrade()
        #expect(throws: expected) { try upgrade.feed(Array(response.utf8)) }
    }

    @Test("extensions that were not asked for are refused")
    func extensions() throws {
        var upgrade = try upgrade()
        let text = String(decoding: response, as: UTF8.self)
            .replacing("Upgrade: websocket", with: "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate")
        #expect(throws: RelayConnectionError.NotARelay.noWebSocket) { try upgrade.feed(Array(text.utf8)) }
    }

    @Test("an endless response is cut off")
    func endless() throws {
        var upgrade = try upgrade()
        #expect(throws: RelayConnectionError.NotARelay.noWebSocket) {
            for _ in 0..<100 { _ = try upgrade.feed(Array("X: \(String(repeating: "y", count: 1000))\r\n".utf8)) }
        }
    }
}
