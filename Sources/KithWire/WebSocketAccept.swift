import Crypto
import KithSupport

/// The proof in a WebSocket server's response that the server has read the client's key.
package enum WebSocketAccept {
    /// Returns the value of the header field `sec-websocket-accept` for a key. The key is the value of the header field
    /// `sec-websocket-key`. RFC 6455 §1.3 defines the constant in the code. The security of Kith does not depend on SHA-1 here.
    package static func value(forKey key: String) -> String {
        let digest = Insecure.SHA1.hash(data: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        // The field has the alphabet of RFC 4648 §4. The 20 bytes of a digest need one character of padding.
        let text = Base64URL.encode(digest).utf8.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        return String(decoding: text, as: UTF8.self) + "="
    }
}
