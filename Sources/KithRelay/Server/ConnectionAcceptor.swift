import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Accepts connections. Adds the handlers to each connection, from TLS to the hub.
struct ConnectionAcceptor: Sendable {
    let workers: [EventLoopWorker]
    let hub: Hub
    let tls: NIOSSLContext
    let shared: EventLoopWorker.Shared
    let failures: AcceptFailures

    func listen(on group: any EventLoopGroup, host: String, port: Int) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(failures.handler())
                }
            }
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(
                    low: max(1, shared.limits.unreadBacklog / 8), high: max(1, shared.limits.unreadBacklog / 2))
            )
            .childChannelInitializer { channel in initialize(channel) }
            .bind(host: host, port: port).get()
    }

    private func initialize(_ channel: any Channel) -> EventLoopFuture<Void> {
        shared.metrics.connectionsTotal.count()
        let networks = ClientNetworks(channel.remoteAddress)
        guard let worker = workers.first(where: { $0.eventLoop === channel.eventLoop }),
            let rates = shared.addresses.enter(networks, atNanoseconds: Self.now)
        else {
            shared.metrics.connectionsRefused.count()
            return channel.close()
        }
        let connection = Connection(
            from: networks, rates, channel: channel, worker: worker, hub: hub)
        let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        worker.add(connection)
        channel.closeFuture.whenComplete { _ in
            shared.addresses.leave(networks, wasOpen: bound.value.isWebSocket, atNanoseconds: Self.now)
            worker.remove(bound.value)
        }
        return channel.eventLoop.makeCompletedFuture {
            let statusHandler = HTTPStatusHandler { path in await page(path) }
            let boundStatusHandler = NIOLoopBound(statusHandler, eventLoop: channel.eventLoop)
            let blobHandler = shared.blobs.map { BlobHandler($0, for: bound.value, slots: shared.transfers) }
            let boundBlobHandler = NIOLoopBound(blobHandler, eventLoop: channel.eventLoop)
            let mayOpen: @Sendable () -> Bool = {
                bound.value.isWebSocket = shared.addresses.open(networks)
                if !bound.value.isWebSocket { shared.metrics.connectionsRefused.count() }
                return bound.value.isWebSocket
            }
            let upgrader = WebSocketUpgrader(mayOpen: mayOpen) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    pipeline.removeHandler(boundStatusHandler.value, promise: nil)
                    if let handler = boundBlobHandler.value { pipeline.removeHandler(handler, promise: nil) }
                    try pipeline.addHandler(bound.value)
                }
            }
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(NIOSSLServerHandler(context: tls))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false,
                withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
            if let blobHandler { try pipeline.addHandler(blobHandler) }
            try pipeline.addHandler(statusHandler)
        }
    }

    private static var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }

    private func page(_ path: String) async -> HTTPPage {
        switch path {
        case "/healthz":
            if let reason = await hub.unreadiness() {
                HTTPPage(status: .serviceUnavailable, text: "not ready: \(reason)\n")
            } else {
                HTTPPage(status: .ok, text: "ready\n")
            }
        default:
            HTTPPage(status: .notFound, text: "nothing here\n")
        }
    }
}
