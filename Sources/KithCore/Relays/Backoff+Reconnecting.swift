import KithSupport

extension Backoff {
    /// The pauses before reconnecting to a relay.
    package static let reconnecting = Backoff(
        shortestMs: ClientLimits.shortestReconnectMs, longestMs: ClientLimits.longestReconnectMs)

    /// Makes the pauses short again if the connection that has ended lasted at least ``ClientLimits/lastingConnection``. After a
    /// shorter connection, the pauses continue to grow, so that a relay that ends every connection at once is contacted less and
    /// less often.
    package mutating func connectionEnded(after duration: Duration) {
        if duration >= ClientLimits.lastingConnection { reset() }
    }
}
