import KithCore
import KithWire
import PrivateFiles

extension RelayConnectionError: OwnWords {
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
    /// A few words for the user.
    public var description: String {
        switch self {
        case .unknownHost: "there is no such host"
        case .noNameServer: "no name server answers; is this machine offline?"
        case .connectionRefused: "nothing listens there"
        case .timedOut: "no answer in time"
        case .system(let errno): SystemError(errno).sentence
        case .other: "the network reports an error"
        case .cancelled: "the attempt was cancelled"
        }
    }
}

extension RelayError.Code {
    /// The refusal in words for the user. The text from the relay is not shown: a hostile relay could write anything into it.
    package var words: String {
        switch self {
        case .badFrame: "it could not read the request"
        case .badVersion: "it speaks another version of the protocol"
        case .passRequired: "it requires a pass, and got none or a wrong one (--relay-pass-file)"
        case .denied: "the channel is unknown there, or this device has no access"
        case .exists: "the channel or name is taken there"
        case .gone: "the channel was closed there"
        case .staleEpoch: "the conversation has changed meanwhile"
        case .trimmed: "it no longer keeps those entries"
        case .tooLarge: "the message is larger than this relay accepts"
        case .tooMany: "its limit on their number is reached"
        case .tooFast: "there were too many requests at once; try again in a moment"
        case .full: "the relay has no room; its operator has to make some"
        case .unavailable: "it can't do that now; try again later"
        case .notFound: "nothing is registered under that name"
        case .wrongOffset: "it has more or fewer bytes of the file"
        }
    }
}

extension RelayConnectionError.NotARelay: CustomStringConvertible {
    /// A few words for the user.
    public var description: String {
        switch self {
        case .noTLS: "the server does not speak TLS 1.3"
        case .saidNothing: "the server closed the connection at once; it may have too many connections"
        case .httpStatus(let status): "the server answers with HTTP status \(status)"
        case .noWebSocket: "the server does not speak WebSocket"
        }
    }
}

extension RelayConnectionError.Closed: CustomStringConvertible {
    /// A few words for the user.
    public var description: String {
        switch self {
        case .here: "this side closed it"
        case .byRelay(let code): code.map { "the relay closed it (\($0))" } ?? "the relay closed it"
        case .lost: "it was interrupted"
        case .answerTimedOut: "the relay does not answer any more"
        }
    }
}

extension RelayViolation: CustomStringConvertible {
    /// A few words for the user.
    public var description: String {
        switch self {
        case .framing: "its WebSocket framing is broken"
        case .malformedFrame: "it sent a frame that does not parse"
        case .misplacedWelcome: "its welcome is missing or comes twice"
        case .unofferedVersion: "it picked a protocol version that was not offered"
        case .unknownRequest: "it answered a request that was not made"
        case .wrongAnswer: "an answer does not fit its request"
        case .wrongEntries: "entries are missing, or from another channel"
        }
    }
}

extension RelayConnectionError {
    /// The error as text for the user. If the relay's pass is missing or wrong, or if the relay has a wrong key, the text
    /// contains a remedy too.
    package var withRemedy: Sentence {
        if case .turnedAway(let error) = self, error.code == .passRequired {
            return "\(self). Give the pass once, for example with kith invite --relay-pass-file FILE; it is remembered"
        }
        guard case .pinMismatch = self else { return "\(self)" }
        return
            "\(self). Kith tries again by itself. If the operator changed the key on purpose, meet again with a new invite: conversations stay with the old key"
    }
}
