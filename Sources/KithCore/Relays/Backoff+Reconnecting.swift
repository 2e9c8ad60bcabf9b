import KithSupport

extension Backoff {
    /// The pauses before reconnecting to a relay.
    package static let reconnecting = Backoff(
        shortestMs: ClientLimits.shortestReconnectMs, longestMs: ClientLimits.longestReconnectMs)

    /// If the connection that has ended lasted at least ``ClientLimits/lastingConnection``, makes the pauses short again. After a
    /// shorter connection, the pauses continue to grow, so a relay that ends every connection at once gets fewer and fewer
    /// attempts.
    package mutating func connectionEnded(after duration: Duration) {
        if duration >= ClientLimits.lastingConnection { reset() }
    }
}
