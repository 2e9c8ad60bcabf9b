/// The limits of a connection's state machine, and of everything that waits to be sent or processed.
extension ClientLimits {
    /// Maximum number of unanswered requests on one connection. The same number of further requests can wait until the relay's
    /// rate limit admits them. The maximum is higher than any burst that a relay allows. If a relay does not answer, the
    /// waiting requests still take little memory.
    package static let unansweredRequests = 1 << 16

    /// Maximum size of the messages from relays that wait to be processed, in bytes. The limit applies to the messages of all
    /// connections of a profile together. Without a profile, it applies to each connection alone. The limit leaves space for
    /// thousands of messages in one transaction. It is small compared with the memory of a profile. At this limit, a connection
    /// stops reading from its socket.
    package static let unreadBytes = 4 << 20

    /// Memory that a waiting message needs in addition to its content, in bytes.
    package static let unreadOverhead = 128

    /// If a connection has lasted this long, the pauses before reconnecting become short again. A handshake and catching up
    /// together usually take less time than this.
    package static let lastingConnection = Duration.seconds(5)

    /// Maximum duration of the random pause before the first attempt to reconnect to a relay, in milliseconds. The pause is
    /// short, so the client soon finds a relay that restarts.
    package static let shortestReconnectMs: UInt64 = 250

    /// Maximum duration of any random pause before an attempt to reconnect to a relay, in milliseconds. The pause protects a
    /// restarted relay from too many connections at once. All clients return within a minute.
    package static let longestReconnectMs: UInt64 = 60_000
}
