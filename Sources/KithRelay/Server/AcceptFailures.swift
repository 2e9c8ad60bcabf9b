import Logging
import NIOCore
import NIOPosix

/// Pauses accepting after the system could not accept a connection, most often because the process has no file
/// descriptor left. The connection stays in the system's queue and the listening socket readable, so trying again at
/// once would take a whole core.
struct AcceptFailures: Sendable {
    let metrics: RelayMetrics
    let logger: Logger

    /// A handler for the listening channel.
    func handler() -> AcceptBackoffHandler {
        var isTold = false
        return AcceptBackoffHandler(shouldForwardIOErrorCaught: false) { error in
            metrics.acceptFailures.count()
            // One line is enough: the metric counts the further failures.
            if !isTold {
                isTold = true
                logger.warning("cannot accept connections: \(error.description); trying again every half second")
            }
            return .milliseconds(RelayLimits.acceptPauseMs)
        }
    }
}
