import Crypto
import Foundation
import KithWire

/// The client's side of the WebSocket opening handshake (RFC 6455 §4.1), including the necessary part of HTTP.
///
/// This is a pure state machine. It creates the request, and accepts the response in pieces of any size.
///
/// NIOHTTP1's client upgrade would hardly save code. The upgrader in NIOWebSocket adds that library's framing, and accepts any
/// extension or protocol. With NIOHTTP1 and NIOWebSocket, Kith would still need its own upgrader, and a second handler to read
/// the status of a refusal.
struct WebSocketUpgrade {
    /// The state of the handshake after a piece of the response.
    enum Progress: Equatable {
        case needsMore
        /// The handshake is complete. `rest`: the bytes after the response.
        case upgraded(rest: ArraySlice<UInt8>)
    }

    /// The bytes of the request.
    let request: [UInt8]
    private let expectedAccept: String
    private var response: [UInt8] = []

    /// Creates an upgrade of a connection to `address`, with a fresh key.
    init(to address: RelayAddress) {
        let key = SymmetricKey(size: .bits128).withUnsafeBytes { Data($0).base64EncodedString() }
        self.init(to: address, key: key)
    }

    init(to address: RelayAddress, key: String) {
        request = Array(
            """
            GET /kith/v1 HTTP/1.1\r
            Host: \(address)\r
            Connection: Upgrade\r
            Upgrade: websocket\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: \(key)\r
            \r\n
            """.utf8)
        // A server that returns this value has understood the WebSocket request.
        expectedAccept = WebSocketAccept.value(forKey: key)
    }

    /// Processes the next bytes of the response.
    ///
    /// - Throws: ``RelayConnectionError/NotARelay`` if the response is not the response of a WebSocket server.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(RelayConnectionError.NotARelay) -> Progress {
        response.append(contentsOf: bytes)
        guard let end = endOfHead() else {
            guard response.count <= ClientLimits.upgradeResponse else { throw .noWebSocket }
            return .needsMore
        }
        guard end <= ClientLimits.upgradeResponse else { throw .noWebSocket }
        try check(head: String(decoding: response[..<end], as: UTF8.self))
        return .upgraded(rest: response[end...])
    }

    /// The index after the empty line that ends the response's head; `nil` if the empty line has not arrived.
    private func endOfHead() -> Int? {
        let emptyLine: [UInt8] = [13, 10, 13, 10]
        guard response.count >= emptyLine.count else { return nil }
        for start in 0...(response.count - emptyLine.count)
        where response[start] == 13 && response[start..<start + emptyLine.count].elementsEqual(emptyLine) {
            return start + emptyLine.count
        }
        return nil
    }

    private func check(head: String) throws(RelayConnectionError.NotARelay) {
        // Swift treats CR LF as one character, so the separator has to be CR LF.
        let lines = head.split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ", maxSplits: 2), status.count >= 2,
            status[0] == "HTTP/1.1", status[1].utf8.count == 3, let code = Int(status[1])
        else { throw .noWebSocket }
        guard code == 101 else { throw .httpStatus(code) }
        var accepts: [Substring] = []
        var upgradesToWebSocket = false
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw .noWebSocket }
            let value = line[line.index(after: colon)...].trimming(" \t")
            switch line[..<colon].lowercased() {
            case "sec-websocket-accept": accepts.append(value)
            case "upgrade": upgradesToWebSocket = value.lowercased() == "websocket"
            // §4.1: the server must not select an extension or protocol that the client has not requested.
            case "sec-websocket-extensions", "sec-websocket-protocol": throw .noWebSocket
            default: continue
            }
        }
        guard upgradesToWebSocket, accepts.count == 1, accepts[0] == expectedAccept else { throw .noWebSocket }
    }
}

extension Substring {
    fileprivate func trimming(_ characters: String) -> Substring {
        var rest = self
        while let first = rest.first, characters.contains(first) { rest.removeFirst() }
        while let last = rest.last, characters.contains(last) { rest.removeLast() }
        return rest
    }
}
