import Logging
import NIOCore

/// The reaction of a listener to connections that the system could not accept, most often because the process has no
/// file descriptor left: it counts them, logs the first, and pauses.
struct AcceptFailures: Sendable {
    let metrics: RelayMetrics
    let logger: Logger

    /// A handler for the listening channel.
    func handler() -> AcceptPause {
        var isTold = false
        return AcceptPause { error in
            metrics.acceptFailures.count()
            // One line is enough: the metric counts the further failures.
            if !isTold {
                isTold = true
                logger.warning("cannot accept connections: \(error.description); trying again every half second")
            }
        }
    }
}

/// Pauses accepting for ``RelayLimits/acceptPauseMs`` after the system could not accept a connection.
///
/// The connection stays in the system's queue and the listening socket readable, so trying again at once would take a
/// whole core. NIO's `AcceptBackoffHandler` only delays its next read: a socket whose first accept fails stays
/// registered as readable, and is tried again without a pause. So this handler ends the registration.
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
        // Fails only on a closed channel, which accepts nothing anyway.
        try? options?.setOption(.autoRead, value: false)
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(RelayLimits.acceptPauseMs)) {
            self.isPaused = false
            try? options?.setOption(.autoRead, value: true)
        }
    }
}
