import KithSupport

extension Backoff {
    /// The pauses before the next connection to a relay.
    package static let reconnecting = Backoff(
        shortestMs: ClientLimits.shortestReconnectMs, longestMs: ClientLimits.longestReconnectMs)

    /// Resets the pauses if the connection that ended had lasted. A relay that ends every connection at once is asked less
    /// and less often.
    package mutating func connectionEnded(after duration: Duration) {
        if duration >= ClientLimits.lastingConnection { reset() }
    }
}
