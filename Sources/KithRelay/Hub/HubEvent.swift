import KithWire

/// Names a connection inside the process. Random in each process, so that it means nothing outside.
typealias ConnectionNumber = UInt64

/// An event on a connection that the hub handles in order.
enum ConnectionEvent: Sendable {
    /// - Parameters:
    ///   - source: the source that its requests are charged to.
    ///   - rates: the rates of that source.
    case opened(loop: Int, source: ClientSource, rates: SourceRates? = nil)
    /// Any request but `register`.
    case request(ClientFrame)
    /// A `register`. The event loop has verified the signature: it is the most expensive check a frame can trigger, and
    /// the hub has one thread. `nil` if the record is not signed for its name.
    case registration(requestID: UInt32, NameRecord?)
    /// A request that was refused before it reached the hub. It passes through the hub to keep the order of answers.
    case refused(requestID: UInt32, RelayError)
    case closed

    /// The number of the request that the event stands for; `nil` if it stands for none.
    var requestID: UInt32? {
        switch self {
        case .request(let frame): frame.requestID
        case .registration(let requestID, _), .refused(let requestID, _): requestID
        case .opened, .closed: nil
        }
    }
}

/// An event and the connection that it happened on.
struct HubEvent: Sendable {
    let connection: ConnectionNumber
    let event: ConnectionEvent
    /// The cost to a round, in appends.
    var cost = 1
}

/// The request that an answer belongs to.
struct ReplyAddress: Sendable {
    let connection: ConnectionNumber
    let requestID: UInt32
}

/// A request and the connection that sent it.
struct HubRequest: Sendable {
    let connection: ConnectionNumber
    let frame: ClientFrame

    var replyAddress: ReplyAddress { ReplyAddress(connection: connection, requestID: frame.requestID) }
    /// The event that brings the request to the hub once more.
    var event: HubEvent { HubEvent(connection: connection, event: .request(frame)) }
}
