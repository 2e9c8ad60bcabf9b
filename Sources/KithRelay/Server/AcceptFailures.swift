import Logging
import NIOCore

/// Handles connections that the system could not accept: counts the failures, logs the first failure, and pauses the listener.
/// The most frequent reason for a failure is a lack of free file descriptors.
struct AcceptFailures: Sendable {
    let metrics: RelayMetrics
    let logger: Logger

    /// A handler for the listening channel.
    func handler() -> AcceptPause {
        var isTold = false
        return AcceptPause { error in
            metrics.acceptFailures.count()
            // The log gets one line only, because the metric counts further failures.
            if !isTold {
                isTold = true
                logger.warning("cannot accept connections: \(error.description); trying again every half second")
            }
        }
    }
}

/// If the system could not accept a connection, stops accepting for ``RelayLimits/acceptPauseMs``.
///
/// A connection that was not accepted stays in the system's queue and keeps the listening socket readable, so immediate retries
/// would use a whole core. NIO's `AcceptBackoffHandler` only delays its next read. If the first accept of a socket fails, the
/// socket stays registered for reading, and NIO retries without a pause. During a pause, this handler ends the socket's
/// registration for reading.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let onFailure: (IOError) -> Void
    private var isPaused = false

    /// - Parameter onFailure: called with each error, on the listener's event loop.
    init(onFailure: @escaping (IOError) -> Void = { _ in }) { self.onFailure = onFailure }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError else { return context.fireErrorCaught(error) }
        onFailure(error)
        guard !isPaused else { return }
        isPaused = true
        let options = context.channel.syncOptions
        // This fails only on a closed channel, which accepts nothing anyway.
        try? options?.setOption(.autoRead, value: false)
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(RelayLimits.acceptPauseMs)) {
            self.isPaused = false
            try? options?.setOption(.autoRead, value: true)
        }
    }
}
