/// A connection's requests without a final answer, by their numbers in frames.
struct UnansweredRequests<Ticket> {
    enum Purpose {
        case hello(at: Duration)
        case request(AnswerKind, Ticket, at: Duration)
        case ping(at: Duration)
        case follow(FollowID)
        case unfollow(FollowID, at: Duration)
    }

    private var purposes: [UInt32: Purpose] = [:]
    private var last: UInt32 = 0

    var count: Int { purposes.count }

    /// The tickets of the caller's requests, without the tickets of follows.
    var tickets: [Ticket] {
        purposes.values.compactMap { if case .request(_, let ticket, _) = $0 { ticket } else { nil } }
    }

    /// The purpose of a request; `nil` if the request is over or was never made.
    subscript(number: UInt32) -> Purpose? { purposes[number] }

    /// The time of the oldest request.
    ///
    /// - Parameter asked: returns the time at which a follow was requested; `nil` if the relay has answered that request.
    func oldest(asked: (FollowID) -> Duration?) -> Duration? {
        purposes.values.compactMap { purpose -> Duration? in
            switch purpose {
            case .hello(let at), .request(_, _, let at), .ping(let at), .unfollow(_, let at): at
            case .follow(let id): asked(id)
            }
        }.min()
    }

    /// Adds a request.
    ///
    /// - Returns: the request's number. No other unanswered request has this number. The number is not 0.
    mutating func add(_ purpose: Purpose) -> UInt32 {
        repeat { last &+= 1 } while last == 0 || purposes[last] != nil
        purposes[last] = purpose
        return last
    }

    mutating func remove(_ number: UInt32) { purposes[number] = nil }

    mutating func removeAll() { purposes = [:] }
}
