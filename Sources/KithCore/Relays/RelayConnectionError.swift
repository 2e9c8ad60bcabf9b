import KithWire

/// The reason why a request got no answer, or why there is no connection.
public enum RelayConnectionError: Error, Hashable, Sendable {
    /// Nothing answers at the address. A later attempt may succeed.
    case unreachable(Unreachable)
    /// The relay's key is not the expected one: perhaps another server has answered. Nothing was sent to the server.
    case pinMismatch(expected: RelayPin, found: RelayPin)
    /// A server answers at the address, but does not act as a relay. The server is not a Kith relay, or accepts no connections
    /// now.
    case notARelay(NotARelay)
    /// The relay has refused this request. The connection stays open.
    case refused(RelayError)
    /// The relay has refused the connection: the answer to `hello` was an error, or the relay could not read a frame.
    case turnedAway(RelayError)
    /// The connection has ended. The relay may have processed some of the unanswered requests.
    case closed(Closed)
    /// The relay has broken the protocol. The client has closed the connection.
    case protocolViolation(RelayViolation)
    /// Too many requests already wait for an answer; the limit is `ClientLimits.unansweredRequests`. This request was not sent.
    case overloaded
    /// This connection already follows the channel. Nothing was sent.
    case alreadyFollowing
    /// The request is `hello`, `follow` or `unfollow`, for which the connection has separate methods. Nothing was sent.
    case notByHand

    /// The reason why an address does not answer.
    public enum Unreachable: Hashable, Sendable {
        /// The host name has no address.
        case unknownHost
        /// No name server has answered. The host's address is unknown.
        case noNameServer
        /// Nothing listens at the address.
        case connectionRefused
        /// There was no answer in time.
        case timedOut
        /// The system has reported this error (`errno`).
        case system(errno: Int32)
        /// The network library has reported another error.
        case other
        /// The task that was connecting was cancelled.
        case cancelled
    }

    /// The reason why the server was not accepted as a relay.
    public enum NotARelay: Error, Hashable, Sendable {
        /// The server does not use TLS 1.3.
        case noTLS
        /// The server closed the connection before it sent anything.
        case saidNothing
        /// The server answered the request for a WebSocket with this HTTP status.
        case httpStatus(Int)
        /// The server's answer to the request for a WebSocket is not that of a WebSocket server.
        case noWebSocket
    }

    /// The way a connection has ended.
    public enum Closed: Hashable, Sendable {
        /// This side has closed the connection.
        case here
        /// The relay has closed the connection, with this WebSocket status if it gave one.
        case byRelay(code: UInt16?)
        /// The connection was lost without being closed.
        case lost
        /// A request did not get an answer in time.
        case answerTimedOut
    }
}

/// A relay's violation of the protocol.
public enum RelayViolation: Error, Hashable, Sendable {
    /// The WebSocket framing is wrong.
    case framing(WebSocketError)
    /// A frame cannot be parsed.
    case malformedFrame
    /// The first answer is not a `welcome`, or a later answer is a `welcome`.
    case misplacedWelcome
    /// The relay chose a protocol version that was not offered.
    case unofferedVersion
    /// The relay has answered a request that does not exist or was already answered.
    case unknownRequest
    /// The answer is of the wrong kind for the request.
    case wrongAnswer
    /// A follow delivered entries of another channel or epoch, or left out entries.
    case wrongEntries
}
