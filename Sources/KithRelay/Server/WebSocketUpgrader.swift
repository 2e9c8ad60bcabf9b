import KithWire
import NIOCore
import NIOHTTP1

/// Switches a connection at `/kith/v1` to WebSocket (RFC 6455 §4.2.2).
final class WebSocketUpgrader: HTTPServerProtocolUpgrader, Sendable {
    let supportedProtocol = "websocket"
    /// Empty: NIO would require each name of this array in the `connection` header. The method that builds the response checks
    /// the WebSocket headers.
    let requiredUpgradeHeaders: [String] = []
    private let mayOpen: @Sendable () -> Bool
    private let install: @Sendable (any Channel) -> EventLoopFuture<Void>

    /// - Parameters:
    ///   - mayOpen: counts a new WebSocket and returns `true`. If there are too many WebSockets, returns `false`.
    ///   - install: replaces the remaining HTTP handlers by the handler of frames.
    init(
        mayOpen: @escaping @Sendable () -> Bool, install: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) {
        self.mayOpen = mayOpen
        self.install = install
    }

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        let keys = upgradeRequest.headers["sec-websocket-key"]
        guard upgradeRequest.uri == "/kith/v1", upgradeRequest.method == .GET,
            upgradeRequest.headers["sec-websocket-version"] == ["13"], keys.count == 1, keys[0].utf8.count == 24
        else { return channel.eventLoop.makeFailedFuture(UpgradeRefusal(page: nil)) }
        // Only browsers send this header, and a browser may act for a page that the user does not know of.
        guard upgradeRequest.headers["origin"].isEmpty else {
            let page = HTTPPage(status: .forbidden, text: "not for web pages\n")
            return channel.eventLoop.makeFailedFuture(UpgradeRefusal(page: page))
        }
        guard mayOpen() else {
            let page = HTTPPage(status: .serviceUnavailable, text: "too many connections from this address\n")
            return channel.eventLoop.makeFailedFuture(UpgradeRefusal(page: page))
        }
        var headers = initialResponseHeaders
        headers.replaceOrAdd(name: "upgrade", value: "websocket")
        headers.replaceOrAdd(name: "sec-websocket-accept", value: WebSocketAccept.value(forKey: keys[0]))
        return channel.eventLoop.makeSucceededFuture(headers)
    }

    func upgrade(context: ChannelHandlerContext, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Void> {
        install(context.channel)
    }
}
