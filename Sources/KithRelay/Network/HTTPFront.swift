import Crypto
import Foundation
import NIOCore
import NIOHTTP1

/// Answers plain HTTP with one page, and closes. Leaves the pipeline when a WebSocket takes over.
final class HTTPFront: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let page: @Sendable (String) async -> HTTPPage
    private var isAnswered = false
    private var noUpgrade: NoUpgrade?

    init(page: @escaping @Sendable (String) async -> HTTPPage) {
        self.page = page
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // One answer, and the connection closes: a client that asks more at once is not worth the work.
        guard case .head(let head) = unwrapInboundIn(data), !isAnswered else { return }
        isAnswered = true
        guard head.method == .GET || head.method == .HEAD else {
            return respond(HTTPPage(status: .methodNotAllowed, text: "GET only\n"), to: head, context: context)
        }
        if let page = noUpgrade?.page { return respond(page, to: head, context: context) }
        let path = String(head.uri.prefix { $0 != "?" })
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let (page, eventLoop) = (page, context.eventLoop)
        Task {
            let answer = await page(path)
            eventLoop.execute {
                let (front, context) = bound.value
                front.respond(answer, to: head, context: context)
            }
        }
    }

    private func respond(_ page: HTTPPage, to head: HTTPRequestHead, context: ChannelHandlerContext) {
        let body = context.channel.allocator.buffer(string: page.text)
        let headers: HTTPHeaders = [
            "content-type": "text/plain; version=0.0.4; charset=utf-8", "content-length": "\(body.readableBytes)",
            "cache-control": "no-store", "connection": "close",
        ]
        let response = HTTPResponseHead(version: .http1_1, status: page.status, headers: headers)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let refusal = error as? NoUpgrade else { return context.close(promise: nil) }
        // The request itself follows.
        noUpgrade = refusal
    }
}

/// The connection stays with HTTP.
private struct NoUpgrade: Error {
    /// The answer; `nil` to answer like any other request.
    let page: HTTPPage?
}

/// What an HTTP request is answered with.
struct HTTPPage: Sendable {
    let status: HTTPResponseStatus
    let text: String
}

/// Switches a connection at `/kith/v1` to WebSocket (RFC 6455 §4.2.2).
final class WebSocketUpgrader: HTTPServerProtocolUpgrader, Sendable {
    let supportedProtocol = "websocket"
    /// None that NIO should look for in `connection`, which is where it expects them; the WebSocket's own are checked below.
    let requiredUpgradeHeaders: [String] = []
    private let mayOpen: @Sendable () -> Bool
    private let takeOver: @Sendable (any Channel) -> EventLoopFuture<Void>

    /// - Parameters:
    ///   - mayOpen: whether there is a place for another WebSocket; takes it.
    ///   - takeOver: puts the handler of the frames in, after HTTP has left the pipeline.
    init(
        mayOpen: @escaping @Sendable () -> Bool, takeOver: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) {
        self.mayOpen = mayOpen
        self.takeOver = takeOver
    }

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        let keys = upgradeRequest.headers["sec-websocket-key"]
        guard upgradeRequest.uri == "/kith/v1", upgradeRequest.method == .GET,
            upgradeRequest.headers["sec-websocket-version"] == ["13"], keys.count == 1, keys[0].utf8.count == 24
        else { return channel.eventLoop.makeFailedFuture(NoUpgrade(page: nil)) }
        // Only browsers send it, for a page that somebody may not know they have opened.
        guard upgradeRequest.headers["origin"].isEmpty else {
            let page = HTTPPage(status: .forbidden, text: "not for web pages\n")
            return channel.eventLoop.makeFailedFuture(NoUpgrade(page: page))
        }
        guard mayOpen() else {
            let page = HTTPPage(status: .serviceUnavailable, text: "too many connections from this address\n")
            return channel.eventLoop.makeFailedFuture(NoUpgrade(page: page))
        }
        var headers = initialResponseHeaders
        let proof = Insecure.SHA1.hash(data: Data((keys[0] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        headers.replaceOrAdd(name: "upgrade", value: "websocket")
        headers.replaceOrAdd(name: "sec-websocket-accept", value: Data(proof).base64EncodedString())
        return channel.eventLoop.makeSucceededFuture(headers)
    }

    func upgrade(context: ChannelHandlerContext, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Void> {
        takeOver(context.channel)
    }
}
