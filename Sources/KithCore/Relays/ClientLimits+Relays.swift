/// Limits of a connection's state machine, and of everything that waits on the way to it and from it.
extension ClientLimits {
    /// Requests that may wait for their answers on one connection, and as many more that may wait for the relay's rate limit.
    /// More than any burst a relay allows, and few enough that a relay that stops answering costs little.
    package static let unansweredRequests = 1 << 16

    /// Messages of relays that wait for a profile, or for the readers of one connection's follows, in bytes: enough for
    /// thousands of messages in one transaction, and little beside the memory of a profile. A connection does not read from its
    /// socket while so much waits.
    package static let unreadBytes = 4 << 20

    /// Memory of a waiting message beside its bytes, in bytes.
    package static let unreadOverhead = 128

    /// Duration of a connection after which the next one is made as soon as after the first: the handshake, a catching up,
    /// and then some.
    package static let lastingConnection = Duration.seconds(5)

    /// Upper bound of the pause before the second connection to a relay, in milliseconds: a relay that restarts is soon found.
    package static let shortestReconnectMs: UInt64 = 250

    /// Upper bound of every pause before a connection to a relay, in milliseconds: a relay that comes back is not overrun, and
    /// is found within a minute.
    package static let longestReconnectMs: UInt64 = 60_000
}
