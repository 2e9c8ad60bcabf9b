import KithWire

/// Why a request was not answered, or a connection does not stand.
public enum RelayConnectionError: Error, Hashable, Sendable {
    /// Nobody answers at that address. Trying again later may help.
    case unreachable(Unreachable)
    /// The relay's key is another than the one expected: it may be another relay that answers. No byte was sent to it.
    case pinMismatch(expected: RelayPin, found: RelayPin)
    /// Something answers there, but it is no Kith relay, or one that takes no connections now.
    case notARelay(NotARelay)
    /// The relay refuses this request; the connection stands.
    case refused(RelayError)
    /// The relay refuses to go on at all: the answer to `hello`, or to something it could not read.
    case turnedAway(RelayError)
    /// The connection is over. Requests without an answer may or may not have been carried out.
    case closed(Closed)
    /// The relay said something that the protocol does not allow; the connection was closed.
    case protocolViolation(RelayViolation)
    /// More requests wait for their answers than `ClientLimits.unansweredRequests`. This one was not sent.
    case overloaded
    /// This connection follows that channel already. Nothing was sent.
    case alreadyFollowing
    /// A request that the connection makes itself, through methods of its own. Nothing was sent.
    case notByHand

    /// Why an address does not answer.
    public enum Unreachable: Hashable, Sendable {
        /// The name stands for no address.
        case unknownHost
        /// No name server answers, so what the name stands for is not known.
        case noNameServer
        /// Nobody listens there.
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

    /// Things found instead of a relay.
    public enum NotARelay: Error, Hashable, Sendable {
        /// It does not speak TLS 1.3.
        case noTLS
        /// It closed the connection before it had said anything.
        case saidNothing
        /// It answered the upgrade with this HTTP status.
        case httpStatus(Int)
        /// Its answer to the upgrade is not that of a WebSocket server.
        case noWebSocket
    }

    /// Ends of a connection.
    public enum Closed: Hashable, Sendable {
        /// This side closed it.
        case here
        /// The relay closed it, with this WebSocket status if it gave one.
        case byRelay(code: UInt16?)
        /// It broke: no goodbye was said.
        case lost
        /// A request had no answer in time.
        case answerTimedOut
    }
}

/// Faults in what a relay says.
public enum RelayViolation: Error, Hashable, Sendable {
    /// Its WebSocket framing is broken.
    case framing(WebSocketError)
    /// A frame does not parse.
    case malformedFrame
    /// The first answer is no `welcome`, or a `welcome` comes later.
    case misplacedWelcome
    /// It picked a protocol version that was not offered.
    case unofferedVersion
    /// It answers a request that was never made, or was answered already.
    case unknownRequest
    /// It answers with something that does not answer such a request.
    case wrongAnswer
    /// A follow brought entries of another channel or epoch, or left some out.
    case wrongEntries
}
