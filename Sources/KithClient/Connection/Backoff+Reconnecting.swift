import KithSupport

extension Backoff {
    /// The pauses before the next connection to a relay.
    package static let reconnecting = Backoff(
        shortestMs: ClientLimits.shortestReconnectMs, longestMs: ClientLimits.longestReconnectMs)

    /// Takes note of the end of a connection. A relay that ends every connection at once is asked less and less often.
    mutating func connectionEnded(after duration: Duration) {
        if duration >= ClientLimits.lastingConnection { reset() }
    }
}
