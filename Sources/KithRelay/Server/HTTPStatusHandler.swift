import NIOCore
import NIOHTTP1

/// Answers a plain HTTP request with one page and closes the connection. If the connection becomes a WebSocket, the handler is
/// removed.
final class HTTPStatusHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let page: @Sendable (String) async -> HTTPPage
    private var isAnswered = false
    private var refusal: UpgradeRefusal?

    init(page: @escaping @Sendable (String) async -> HTTPPage) {
        self.page = page
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Further requests are ignored, because the connection closes after one answer.
        guard case .head(let head) = unwrapInboundIn(data), !isAnswered else { return }
        isAnswered = true
        guard head.method == .GET || head.method == .HEAD else {
            return respond(HTTPPage(status: .methodNotAllowed, text: "GET only\n"), to: head, context: context)
        }
        if let page = refusal?.page { return respond(page, to: head, context: context) }
        let path = String(head.uri.prefix { $0 != "?" })
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let (page, eventLoop) = (page, context.eventLoop)
        Task {
            let answer = await page(path)
            eventLoop.execute {
                let (handler, context) = bound.value
                handler.respond(answer, to: head, context: context)
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
        guard let upgradeRefusal = error as? UpgradeRefusal else { return context.close(promise: nil) }
        // The handler receives the request itself next, and answers it with this refusal.
        refusal = upgradeRefusal
    }
}

/// The reason why a request does not become a WebSocket.
struct UpgradeRefusal: Error {
    /// The page that answers the request. If `nil`, the answer is the page for requests that do not ask for a WebSocket.
    let page: HTTPPage?
}

/// The answer to an HTTP request.
struct HTTPPage: Sendable {
    let status: HTTPResponseStatus
    let text: String
}
