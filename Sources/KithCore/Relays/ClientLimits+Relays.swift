/// The limits of a connection's state machine, and of everything that waits to be sent or processed.
extension ClientLimits {
    /// Maximum number of requests without an answer on one connection. The same number of further requests may wait for the
    /// relay's rate limit. The limit is higher than any burst that a relay allows. It is still so low that the requests to a
    /// relay that does not answer take little memory.
    package static let unansweredRequests = 1 << 16

    /// Maximum size of the relays' messages that wait for a profile, or for the readers of one connection's follows, in bytes.
    /// This size is enough for thousands of messages in one transaction, and little compared with the memory of a profile. At
    /// this size, a connection stops reading from its socket.
    package static let unreadBytes = 4 << 20

    /// Memory that a waiting message needs in addition to its content, in bytes.
    package static let unreadOverhead = 128

    /// Duration after which a connection makes the pauses before reconnecting short again. This duration is longer than the
    /// handshake and catching up.
    package static let lastingConnection = Duration.seconds(5)

    /// Upper bound of the random pause before the first attempt to reconnect to a relay, in milliseconds. The pause is short, so
    /// that a relay that restarts is found soon.
    package static let shortestReconnectMs: UInt64 = 250

    /// Upper bound of all random pauses before attempts to reconnect to a relay, in milliseconds. The pause protects a relay that
    /// has just restarted from too many connections, and all clients return within a minute.
    package static let longestReconnectMs: UInt64 = 60_000
}
