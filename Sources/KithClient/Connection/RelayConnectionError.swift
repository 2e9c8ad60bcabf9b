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
    /// More requests wait for their answers than ``ClientLimits/unansweredRequests``. This one was not sent.
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

    /// What is there instead of a relay.
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

    /// How a connection ended.
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

/// What a relay said that it must not say.
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

extension RelayConnectionError: CustomStringConvertible {
    /// One sentence for the user, without a full stop.
    public var description: String {
        switch self {
        case .unreachable(let reason): "the relay can't be reached: \(reason)"
        case .pinMismatch(let expected, let found):
            "the relay's key is not the expected one (expected \(expected.short), found \(found.short)); nothing was sent to it"
        case .notARelay(let reason): "no Kith relay answers there: \(reason)"
        case .refused(let error): "the relay refuses: \(error.code.words)"
        case .turnedAway(let error): "the relay turned this connection away: \(error.code.words)"
        case .closed(let how): "the connection to the relay is over: \(how)"
        case .protocolViolation(let violation): "the relay breaks the protocol: \(violation)"
        case .overloaded: "too many requests are waiting for an answer"
        case .alreadyFollowing: "the channel is followed already"
        case .notByHand: "the connection makes such requests itself"
        }
    }
}

extension RelayConnectionError.Unreachable: CustomStringConvertible {
    /// A few words.
    public var description: String {
        switch self {
        case .unknownHost: "there is no such host"
        case .noNameServer: "no name server answers; is this machine offline?"
        case .connectionRefused: "nothing listens there"
        case .timedOut: "no answer in time"
        case .system(let errno): SystemError(errno).sentence
        case .other: "the network reports an error"
        case .cancelled: "it was given up"
        }
    }
}

extension RelayError.Code {
    /// The refusal in words for the user. The relay's own sentence is not shown: it could say anything.
    package var words: String {
        switch self {
        case .badFrame: "it could not read what this Kith said"
        case .badVersion: "it speaks another version of the protocol"
        case .passRequired: "it wants a pass, and was given none or another (--relay-pass-file)"
        case .denied: "it does not know that place, or does not let this device in"
        case .exists: "that place is taken"
        case .gone: "it was closed there"
        case .staleEpoch: "the conversation has changed meanwhile"
        case .trimmed: "it no longer keeps that"
        case .tooLarge: "it is larger than this relay takes"
        case .tooMany: "too many of those are in use"
        case .tooFast: "too much was asked at once; try again in a moment"
        case .full: "the relay has no room; its operator has to make some"
        case .unavailable: "it can't do that now; try again later"
        case .notFound: "there is nothing under that name"
        }
    }
}

extension RelayConnectionError.NotARelay: CustomStringConvertible {
    /// A few words.
    public var description: String {
        switch self {
        case .noTLS: "what is there does not speak TLS 1.3"
        case .saidNothing: "it closed the connection at once; it may have too many connections"
        case .httpStatus(let status): "it answers with HTTP status \(status)"
        case .noWebSocket: "it does not speak WebSocket"
        }
    }
}

extension RelayConnectionError.Closed: CustomStringConvertible {
    /// A few words.
    public var description: String {
        switch self {
        case .here: "it was closed on this side"
        case .byRelay(let code): code.map { "the relay closed it (\($0))" } ?? "the relay closed it"
        case .lost: "it was cut"
        case .answerTimedOut: "the relay does not answer any more"
        }
    }
}

extension RelayViolation: CustomStringConvertible {
    /// A few words.
    public var description: String {
        switch self {
        case .framing: "its WebSocket framing is broken"
        case .malformedFrame: "it sent a frame that does not parse"
        case .misplacedWelcome: "its welcome is missing or comes twice"
        case .unofferedVersion: "it picked a protocol version that was not offered"
        case .unknownRequest: "it answered a request that was not made"
        case .wrongAnswer: "an answer does not fit its request"
        case .wrongEntries: "entries are missing or from elsewhere"
        }
    }
}
