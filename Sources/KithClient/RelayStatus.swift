import KithWire
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// The public status of a running relay: its health and its metrics.
package struct RelayStatus: Hashable, Sendable {
    /// Whether the relay can serve all requests now.
    package let isReady: Bool
    /// The relay's own description of its health, in a few words.
    package let health: String
    /// One metric of the relay.
    package struct Metric: Hashable, Sendable {
        /// The metric's name, followed by the metric's label if it has one.
        package let name: String
        /// The value.
        package let value: Double
    }
    /// The relay's metrics in the relay's order; empty if no metrics were requested.
    package let metrics: [Metric]
    /// The relay's key.
    package let pin: RelayPin

    /// Requests a relay's health over TLS. The relay's key is checked first.
    ///
    /// - Parameter metrics: the metrics for the result, from ``metrics(at:timeouts:)``; empty by default.
    /// - Throws: ``RelayConnectionError``.
    package static func ask(
        _ address: RelayAddress, trust: RelayTrust, metrics: [Metric] = [], timeouts: RelayTimeouts = RelayTimeouts()
    ) async throws(RelayConnectionError) -> RelayStatus {
        let check = PinCheck(trust)
        let health = try await get("/healthz", from: address, check, timeouts)
        guard let pin = check.found else { throw RelayConnectionError.notARelay(.noTLS) }
        return RelayStatus(
            isReady: health.status == .ok, health: health.body.split(separator: "\n").first.map(String.init) ?? "",
            metrics: metrics, pin: pin)
    }

    /// Requests a relay's metrics in plain HTTP.
    ///
    /// - Parameter address: the address that serves the metrics.
    /// - Throws: ``RelayConnectionError``.
    package static func metrics(
        at address: RelayAddress, timeouts: RelayTimeouts = RelayTimeouts()
    ) async throws(RelayConnectionError) -> [Metric] {
        let page = try await get("/metrics", from: address, nil, timeouts)
        return page.body.split(separator: "\n").compactMap(Metric.init)
    }

    /// Requests a page. With a check, uses TLS and checks the relay's key. Without a check, uses plain HTTP.
    private static func get(
        _ path: String, from address: RelayAddress, _ check: PinCheck?, _ timeouts: RelayTimeouts
    ) async throws(RelayConnectionError) -> HTTPAnswer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: HTTPAnswer.self)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(timeouts.connect))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let check { try pipeline.addHandler(try check.makeTLSHandler(for: address)) }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(
                        HTTPGet(
                            path, host: address.description, timeout: TimeAmount(timeouts.handshake), answer: answer))
                }
            }
        do {
            _ = try await bootstrap.connect(host: address.host, port: address.port).get()
            let page = try await answer.futureResult.get()
            guard page.status == .ok || page.status == .serviceUnavailable else {
                throw RelayConnectionError.notARelay(.httpStatus(Int(page.status.code)))
            }
            return page
        } catch {
            answer.fail(error)
            throw check?.mismatch ?? RelayConnectionError(connecting: error)
        }
    }
}

extension RelayStatus.Metric {
    /// Reads a line of Prometheus' text format. `nil` for comments, and for values that are not finite numbers.
    init?(_ line: Substring) {
        guard !line.hasPrefix("#"), let space = line.lastIndex(of: " "),
            let value = Double(line[line.index(after: space)...]), value.isFinite
        else { return nil }
        self.init(name: String(line[..<space]), value: value)
    }
}

struct HTTPAnswer: Sendable {
    var status: HTTPResponseStatus
    var body: String
}

/// Sends one GET request, and collects the response. If the channel has TLS, sends the request after the handshake.
private final class HTTPGet: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let path: String
    private let host: String
    private let timeout: TimeAmount
    private let promise: EventLoopPromise<HTTPAnswer>
    private var answer = HTTPAnswer(status: .ok, body: "")
    private var deadline: Scheduled<Void>?

    init(_ path: String, host: String, timeout: TimeAmount, answer: EventLoopPromise<HTTPAnswer>) {
        self.path = path
        self.host = host
        self.timeout = timeout
        promise = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let (promise, channel) = (promise, context.channel)
        deadline = context.eventLoop.scheduleTask(in: timeout) {
            promise.fail(RelayConnectionError.closed(.answerTimedOut))
            channel.close(promise: nil)
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: path, headers: ["host": host, "connection": "close"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            answer.status = head.status
        case .body(let part):
            guard answer.body.utf8.count + part.readableBytes <= ClientLimits.statusPage else {
                promise.fail(RelayConnectionError.notARelay(.noWebSocket))
                return context.close(promise: nil)
            }
            answer.body += String(buffer: part)
        case .end:
            promise.succeed(answer)
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        promise.fail(RelayConnectionError.notARelay(.saidNothing))
    }
}
