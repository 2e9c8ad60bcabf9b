import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Serves a relay's metrics in plain HTTP on a separate listener, for the operator's monitoring. Frequent readings of the metrics
/// show when and how much people write, so the listener exists only if the operator configures its address.
struct MetricsListener: Sendable {
    private let metrics: RelayMetrics
    private let store: any ChannelStore
    private let blobs: (any BlobStore)?
    private let open = OpenCount()

    private final class OpenCount: Sendable {
        let value = Atomic<Int>(0)
    }

    init(metrics: RelayMetrics, store: any ChannelStore, blobs: (any BlobStore)?) {
        self.metrics = metrics
        self.store = store
        self.blobs = blobs
    }

    func listen(on group: any EventLoopGroup, host: String, port: Int) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause())
                }
            }
            .childChannelInitializer { channel in initialize(channel) }
            .bind(host: host, port: port).get()
    }

    private func initialize(_ channel: any Channel) -> EventLoopFuture<Void> {
        let isTooMany = open.value.wrappingAdd(1, ordering: .relaxed).newValue > RelayLimits.metricsConnections
        channel.closeFuture.whenComplete { _ in open.value.wrappingSubtract(1, ordering: .relaxed) }
        guard !isTooMany else { return channel.close() }
        let deadline = channel.eventLoop.scheduleTask(in: .milliseconds(RelayLimits.metricsMs)) {
            channel.close(promise: nil)
        }
        channel.closeFuture.whenComplete { _ in deadline.cancel() }
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
            try pipeline.addHandler(HTTPStatusHandler { path in await page(path) })
        }
    }

    private func page(_ path: String) async -> HTTPPage {
        guard path == "/metrics" else { return HTTPPage(status: .notFound, text: "nothing here\n") }
        let text = metrics.rendered(store: try? await store.statistics(), blobs: blobs?.statistics())
        return HTTPPage(status: .ok, text: text)
    }
}
