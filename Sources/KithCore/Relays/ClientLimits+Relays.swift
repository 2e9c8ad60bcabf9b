/// Limits of a connection's state machine, and of everything that waits on the way to it and from it.
extension ClientLimits {
    /// The most requests that wait for their answers on one connection; as many more may wait for the relay's rate limit. The
    /// number is above any burst that a relay allows, and small enough that a relay that stops answering costs little.
    package static let unansweredRequests = 1 << 16

    /// Messages of relays that wait for a profile, or for the readers of one connection's follows, in bytes: enough for thousands
    /// of messages in one transaction, and little beside the memory of a profile. A connection does not read from its socket
    /// while this much waits.
    package static let unreadBytes = 4 << 20

    /// The memory of a waiting message besides its bytes, in bytes.
    package static let unreadOverhead = 128

    /// A connection that lasted this long resets the reconnect backoff: longer than the handshake and catching up.
    package static let lastingConnection = Duration.seconds(5)

    /// The longest pause before the second connection to a relay, in milliseconds: a relay that restarts is soon found.
    package static let shortestReconnectMs: UInt64 = 250

    /// The longest pause before any connection to a relay, in milliseconds: a relay that comes back is not overrun, and is found
    /// within a minute.
    package static let longestReconnectMs: UInt64 = 60_000
}
