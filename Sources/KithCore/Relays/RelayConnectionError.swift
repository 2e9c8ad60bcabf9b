import KithWire

/// The reason why a request was not answered, or why there is no connection.
public enum RelayConnectionError: Error, Hashable, Sendable {
    /// Nothing answers at that address. A later attempt may succeed.
    case unreachable(Unreachable)
    /// The relay's key is not the expected one: another server may be answering. No byte was sent to it.
    case pinMismatch(expected: RelayPin, found: RelayPin)
    /// A server answers there, but it is not a Kith relay, or it is a relay that accepts no connections now.
    case notARelay(NotARelay)
    /// The relay refused this request; the connection stays open.
    case refused(RelayError)
    /// The relay refused the connection, in answer to `hello` or to something it could not read.
    case turnedAway(RelayError)
    /// The connection ended. Requests without an answer may or may not have been carried out.
    case closed(Closed)
    /// The relay broke the protocol; the connection was closed.
    case protocolViolation(RelayViolation)
    /// More requests than `ClientLimits.unansweredRequests` wait for an answer. This one was not sent.
    case overloaded
    /// This connection already follows that channel. Nothing was sent.
    case alreadyFollowing
    /// The connection makes this kind of request itself, through its own methods. Nothing was sent.
    case notByHand

    /// The reason why an address does not answer.
    public enum Unreachable: Hashable, Sendable {
        /// The host name has no address.
        case unknownHost
        /// No name server answers, so the host's address is unknown.
        case noNameServer
        /// Nothing listens there.
        case connectionRefused
        /// There was no answer in time.
        case timedOut
        /// The system reports this error (`errno`).
        case system(errno: Int32)
        /// Anything else the network library reports.
        case other
        /// The task that was connecting was cancelled.
        case cancelled
    }

    /// The kind of server found instead of a relay.
    public enum NotARelay: Error, Hashable, Sendable {
        /// It does not speak TLS 1.3.
        case noTLS
        /// It closed the connection before it sent anything.
        case saidNothing
        /// It answered the upgrade with this HTTP status.
        case httpStatus(Int)
        /// Its answer to the upgrade is not that of a WebSocket server.
        case noWebSocket
    }

    /// The end of a connection.
    public enum Closed: Hashable, Sendable {
        /// This side closed it.
        case here
        /// The relay closed it, with this WebSocket status if it gave one.
        case byRelay(code: UInt16?)
        /// It broke without being closed.
        case lost
        /// A request had no answer in time.
        case answerTimedOut
    }
}

/// A violation of the protocol by a relay.
public enum RelayViolation: Error, Hashable, Sendable {
    /// Its WebSocket framing is broken.
    case framing(WebSocketError)
    /// A frame can't be parsed.
    case malformedFrame
    /// The first answer is not a `welcome`, or a later one is.
    case misplacedWelcome
    /// It picked a protocol version that was not offered.
    case unofferedVersion
    /// It answered a request that was never made or was already answered.
    case unknownRequest
    /// Its answer is of the wrong kind for the request.
    case wrongAnswer
    /// A follow brought entries of another channel or epoch, or left some out.
    case wrongEntries
}
