import KithWire

/// The decoder gives the same messages and the same error however a stream is cut into pieces.
func fuzzWebSocket(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let flags = input.byte()
    let peer: WebSocketDecoder.Peer = flags & 1 == 0 ? .client : .server
    let limit = flags & 2 == 0 ? 100 : 70_000
    let cuts = input.bytes(Int(flags >> 4))
    let stream = input.rest

    let whole = decode([stream], from: peer, limit: limit)
    let cut = decode(pieces(of: stream, cuts: cuts), from: peer, limit: limit)
    let single = decode(stream.map { [$0] }, from: peer, limit: limit)
    expect(whole == cut, "cut at \(Array(cuts)), the stream says something else")
    expect(whole == single, "byte by byte, the stream says something else")

    // The decoded messages can be encoded again.
    var writer = WebSocketWriter()
    var said: [WebSocketMessage] = []
    for message in whole.messages {
        guard case .ping(let content) = message else { continue }
        writer.writePong(content, mask: peer == .client ? 0x0102_0304 : nil)
        said.append(.pong)
    }
    expect(decode([writer.bytes[...]], from: peer, limit: limit).messages == said, "a pong does not come through")
}

private struct Heard: Equatable {
    var messages: [WebSocketMessage] = []
    var error: WebSocketError?
}

private func decode(
    _ pieces: [some Collection<UInt8>], from peer: WebSocketDecoder.Peer, limit: Int
) -> Heard {
    var decoder = WebSocketDecoder(from: peer, limit: limit)
    var heard = Heard()
    for piece in pieces {
        do {
            try Array(piece).withUnsafeBytes { bytes in try decoder.feed(bytes) { heard.messages.append($0) } }
        } catch let error as WebSocketError {
            heard.error = error
            return heard
        } catch {
            fatalError("an error of another type")
        }
        // A message, and a frame that would exceed its limit.
        expect(decoder.buffered <= 2 * limit + 14, "more is kept than a message and a frame")
    }
    return heard
}
