import KithWire
import TLSCodec
import Testing

@Suite("WebSocket framing")
struct WebSocketTests {
    private func decode(
        _ pieces: [[UInt8]], from peer: WebSocketDecoder.Peer = .client, limit: Int = 1 << 20
    ) throws -> [WebSocketMessage] {
        var decoder = WebSocketDecoder(from: peer, limit: limit)
        var messages: [WebSocketMessage] = []
        for piece in pieces {
            try piece.withUnsafeBytes { bytes in try decoder.feed(bytes) { messages.append($0) } }
        }
        return messages
    }

    private struct Raw: TLSEncodable {
        let bytes: [UInt8]
        func encode(into writer: inout TLSWriter) { writer.writeBytes(bytes) }
    }

    @Test("messages of every length class arrive whole, split at every byte")
    func splits() throws {
        let contents = [0, 1, 125, 126, 300].map { count in (0..<count).map { UInt8(truncatingIfNeeded: $0) } }
        var writer = WebSocketWriter()
        for content in contents { writer.write(Raw(bytes: content), mask: 0xdead_beef) }
        writer.writePong([7], mask: 7)
        writer.writeClose(code: 1000, mask: 9)
        let ping: [UInt8] = [0x89, 0x81, 1, 2, 3, 4, 9]
        let bytes = ping + writer.bytes
        let expected = [.ping([8])] + contents.map { WebSocketMessage.binary($0) } + [.pong, .close(code: 1000)]
        #expect(try decode([bytes]) == expected)
        #expect(try decode(bytes.map { [$0] }) == expected)
        for split in 0...bytes.count {
            #expect(try decode([Array(bytes[..<split]), Array(bytes[split...])]) == expected, "split at \(split)")
        }
    }

    @Test("a long message arrives whole")
    func long() throws {
        let content = (0..<70_000).map { UInt8(truncatingIfNeeded: $0) }
        var writer = WebSocketWriter()
        writer.write(Raw(bytes: content))
        let pieces = stride(from: 0, to: writer.bytes.count, by: 1000).map {
            Array(writer.bytes[$0..<min($0 + 1000, writer.bytes.count)])
        }
        #expect(try decode(pieces, from: .server) == [.binary(content)])
    }

    @Test("fragments are assembled, with control frames between them")
    func fragments() throws {
        let frames: [[UInt8]] = [
            [0x02, 0x02, 1, 2], [0x89, 0x01, 9], [0x00, 0x00], [0x00, 0x01, 3], [0x80, 0x01, 4],
        ]
        let expected: [WebSocketMessage] = [.fragment, .ping([9]), .fragment, .fragment, .binary([1, 2, 3, 4])]
        #expect(try decode(frames, from: .server) == expected)
    }

    @Test("a receiver that stops gets the remaining messages later, in order, with those that arrived meanwhile")
    func stopping() throws {
        var writer = WebSocketWriter()
        for number in 0..<100 { writer.write(Raw(bytes: [UInt8(number)])) }
        let (first, second) = (Array(writer.bytes[..<150]), Array(writer.bytes[150...]))
        // With 50, the receiver stops at the end of the first piece.
        for step in [1, 7, 50, 60] {
            var decoder = WebSocketDecoder(from: .server)
            var heard: [WebSocketMessage] = []
            func take(_ message: WebSocketMessage) -> Bool {
                heard.append(message)
                return !heard.count.isMultiple(of: step)
            }
            try first.withUnsafeBytes { try decoder.push($0, while: take) }
            let before = heard.count
            #expect(before == min(step, 50))
            try second.withUnsafeBytes { try decoder.push($0, while: take) }
            #expect(heard.count == (step == 60 ? 60 : before))
            while heard.count < 100 { try decoder.resume(while: take) }
            #expect(heard == (0..<100).map { .binary([UInt8($0)]) })
            #expect(decoder.buffered == 0)
        }
    }

    @Test("every valid status code of a close frame is accepted, and so is a missing one")
    func closeCodes() throws {
        for code in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999] as [UInt16] {
            var writer = WebSocketWriter()
            writer.writeClose(code: code)
            #expect(try decode([writer.bytes], from: .server) == [.close(code: code)])
        }
        #expect(try decode([[0x88, 0x00]], from: .server) == [.close(code: nil)])
        #expect(try decode([[0x88, 0x04, 0x03, 0xe8, 0xc3, 0xa4]], from: .server) == [.close(code: 1000)])
    }

    @Test(
        "input that RFC 6455 forbids closes the connection with the code that it names",
        arguments: [
            ([0x82, 0x00], .client, .protocolError),  // not masked by a client
            ([0x82, 0x80, 0, 0, 0, 0], .server, .protocolError),  // masked by a server
            ([0xc2, 0x00], .server, .protocolError),  // a reserved bit
            ([0x83, 0x00], .server, .protocolError),  // an undefined opcode
            ([0x8b, 0x00], .server, .protocolError),
            ([0x81, 0x00], .server, .unsupportedData),  // text
            ([0x09, 0x00], .server, .protocolError),  // a fragmented ping
            ([0x89, 126, 0, 126], .server, .protocolError),  // a long ping
            ([0x82, 126, 0, 125], .server, .protocolError),  // not the shortest length
            ([0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], .server, .protocolError),
            ([0x80, 0x00], .server, .protocolError),  // a continuation of nothing
            ([0x02, 0x00, 0x82, 0x00], .server, .protocolError),  // a message inside a message
            ([0x88, 0x01, 3], .server, .protocolError),  // half a status code
            ([0x88, 0x02, 0x03, 0xed], .server, .protocolError),  // 1005, which stands for no code
            ([0x88, 0x02, 0x03, 0xe7], .server, .protocolError),  // 999
            ([0x88, 0x02, 0x0b, 0xb7], .server, .protocolError),  // 2999
            ([0x88, 0x02, 0x13, 0x88], .server, .protocolError),  // 5000
            ([0x88, 0x04, 0x03, 0xe8, 0xc3, 0x28], .server, .invalidText),  // a reason that is not UTF-8
            ([0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], .server, .messageTooBig),
            ([0x82, 126, 0x03, 0xe9], .server, .messageTooBig),
        ] as [([UInt8], WebSocketDecoder.Peer, WebSocketError)])
    func forbidden(bytes: [UInt8], peer: WebSocketDecoder.Peer, error: WebSocketError) {
        #expect(throws: error) { try decode([bytes], from: peer, limit: 1000) }
        #expect(throws: error) { try decode(bytes.map { [$0] }, from: peer, limit: 1000) }
    }

    @Test("fragments together may not exceed the length of a message")
    func fragmentLimit() {
        let half: [UInt8] = [126, 0x02, 0x00] + [UInt8](repeating: 1, count: 512)
        #expect(throws: WebSocketError.messageTooBig) {
            try decode([[0x02] + half, [0x80] + half], from: .server, limit: 1000)
        }
    }

    @Test("an announced length takes no memory before its bytes arrive")
    func announced() throws {
        var decoder = WebSocketDecoder(from: .server)
        let header: [UInt8] = [0x82, 127, 0, 0, 0, 0, 0, 0x0f, 0xff, 0xff]
        try header.withUnsafeBytes { bytes in try decoder.feed(bytes) { _ in } }
        #expect(decoder.buffered == header.count)
    }

    @Test("a frame encoded once carries each follower's own request number")
    func encodedOnce() throws {
        let frame = RelayFrame(requestID: 0, reply: .entries(channel: Samples.channel, entries: Samples.entries))
        var writer = WebSocketWriter()
        writer.write(encoded: frame.encoded, requestID: 0x0102_0304)
        guard case .binary(let bytes) = try decode([writer.bytes], from: .server).first else {
            Issue.record("no message")
            return
        }
        #expect(try RelayFrame(decoding: bytes) == RelayFrame(requestID: 0x0102_0304, reply: frame.reply))
    }
}
