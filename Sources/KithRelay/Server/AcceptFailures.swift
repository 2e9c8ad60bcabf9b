import Logging
import NIOCore
import NIOPosix

/// The reaction to a connection that can't be accepted, most often because the process has no file descriptor left: it
/// waits. The connection stays in the system's queue, so the listening socket stays readable, and trying again at once would
/// take a whole core and say nothing.
struct AcceptFailures: Sendable {
    let metrics: RelayMetrics
    let logger: Logger

    /// A handler for the listening channel.
    func handler() -> AcceptBackoffHandler {
        var isTold = false
        return AcceptBackoffHandler(shouldForwardIOErrorCaught: false) { error in
            metrics.acceptFailures.count()
            // One line: the count tells how it goes on.
            if !isTold {
                isTold = true
                logger.warning("cannot accept connections: \(error.description); trying again every half second")
            }
            return .milliseconds(RelayLimits.acceptPauseMs)
        }
    }
}
