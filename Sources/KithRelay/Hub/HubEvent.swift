import KithWire

/// The number of a connection inside the process. The numbers are random, and have a meaning only inside the process.
typealias ConnectionNumber = UInt64

/// An event of a connection. The hub handles the events of a connection in order.
enum ConnectionEvent: Sendable {
    /// - Parameters:
    ///   - source: the source to which the connection's costs are charged.
    ///   - rates: the rates of that source.
    case opened(loop: Int, source: ClientSource, rates: SourceRates? = nil)
    /// A request. After `hello`, a `register` request becomes a `registration` instead.
    case request(ClientFrame)
    /// A `register` request whose signature the event loop has already checked. The check of a signature is the most expensive
    /// check that a frame can trigger, and the hub has only one thread. The record is `nil` if the signature is not valid for the
    /// name.
    case registration(requestID: UInt32, NameRecord?)
    /// A request that was refused before it reached the hub. To keep the answers in order, the refusal passes through the hub.
    case refused(requestID: UInt32, RelayError)
    case closed

    /// The number of the request in the event; `nil` if the event is no request.
    var requestID: UInt32? {
        switch self {
        case .request(let frame): frame.requestID
        case .registration(let requestID, _), .refused(let requestID, _): requestID
        case .opened, .closed: nil
        }
    }
}

/// An event and its connection.
struct HubEvent: Sendable {
    let connection: ConnectionNumber
    let event: ConnectionEvent
    /// The cost of the event, in appends. The total cost of a round's events is bounded.
    var cost = 1
}

/// The connection and number of a request. The answer is sent to this address.
struct ReplyAddress: Sendable {
    let connection: ConnectionNumber
    let requestID: UInt32
}

/// A request and the connection that sent it.
struct HubRequest: Sendable {
    let connection: ConnectionNumber
    let frame: ClientFrame

    var replyAddress: ReplyAddress { ReplyAddress(connection: connection, requestID: frame.requestID) }
    /// The event that passes the request to the hub again.
    var event: HubEvent { HubEvent(connection: connection, event: .request(frame)) }
}
