import KithWire
import NIOCore

/// Decides which requests of one connection go to the hub, which requests wait, and in which order the answers are sent.
///
/// A request waits for one of two reasons.
/// - Too many requests are under way. Two values are bounded: the number of requests under way, and the total size of these
///   requests and of their largest possible answers. The bounds limit the queue of answers to a client that does not read.
/// - An earlier `present` is undecided. No request overtakes a `present`, because the time and the position of a refusal must not
///   reveal the relay's lookups. While a `present` is undecided, the connection sends nothing (``isUndecided``).
///
/// If several `present` requests arrive together, they form one group with the requests already under way. The answers of a group
/// are sent together, in the order of the requests. If a `present` has the number of an unanswered request, the `present` waits
/// until that request is answered: an answer is identified by the number of its request.
struct Admission {
    struct PendingRequest {
        let event: ConnectionEvent
        let bytes: Int
        let cost: Int

        var requestID: UInt32? { event.requestID }
    }

    private let limits: RelayLimits
    private var waiting = CircularBuffer<PendingRequest>()
    /// The numbers of the admitted requests that are not answered yet, in the order of admission.
    private var underWay = CircularBuffer<UInt32>()
    private var bytesUnderWay = 0
    /// The requests whose answers are sent together: first the requests that were under way, then the `present` requests. Empty
    /// if no `present` is under way.
    private var group: [Member] = []
    private var unanswered = 0
    /// An index in ``group``. All earlier members have an answer. The search for the member that an answer belongs to starts at
    /// this index, because most answers arrive in order.
    private var firstUnanswered = 0
    private var presentsCame = NIODeadline.uptimeNanoseconds(0)
    /// Whether a new `present` can still join ``group``.
    private var isGathering = false

    private struct Member {
        let requestID: UInt32
        let isPresent: Bool
        var answer: RoundOutput.Answer?
    }

    init(limits: RelayLimits) { self.limits = limits }

    /// Whether the hub is deciding a `present`. The times of the output must not reveal the duration of the lookup, so the
    /// connection sends nothing until the decision.
    var isUndecided: Bool { !group.isEmpty }

    /// Whether no request waits.
    var isDrained: Bool { waiting.isEmpty }

    /// Whether the relay may read more from the connection.
    var wantsMore: Bool { waiting.isEmpty && hasRoom }

    private var hasRoom: Bool { underWay.count < limits.requestsUnderWay && bytesUnderWay < limits.bytesUnderWay }

    /// Adds a request. Returns `true` if the request goes to the hub now, `false` if the request waits.
    mutating func admit(_ event: ConnectionEvent, bytes: Int, cost: Int = 1, canAnswer: Bool, now: NIODeadline) -> Bool
    {
        let item = PendingRequest(event: event, bytes: bytes, cost: cost)
        if waiting.isEmpty, letThrough(item, canAnswer: canAnswer, now: now) { return true }
        waiting.append(item)
        return false
    }

    /// Removes and returns the next waiting request. Returns `nil` if no request waits, or if the request must not go to the hub
    /// now.
    mutating func next(canAnswer: Bool, now: NIODeadline) -> PendingRequest? {
        guard let item = waiting.first, letThrough(item, canAnswer: canAnswer, now: now) else { return nil }
        waiting.removeFirst()
        return item
    }

    private mutating func letThrough(_ item: PendingRequest, canAnswer: Bool, now: NIODeadline) -> Bool {
        guard canAnswer, hasRoom, let requestID = item.event.requestID else { return false }
        if case .request(let frame) = item.event, case .present = frame.request {
            guard group.isEmpty || isGathering, !underWay.contains(requestID) else { return false }
            if group.isEmpty {
                group = underWay.map { Member(requestID: $0, isPresent: false) }
                firstUnanswered = 0
                unanswered = group.count
            }
            group.append(Member(requestID: requestID, isPresent: true))
            unanswered += 1
            presentsCame = now
            isGathering = true
        } else if !group.isEmpty {
            return false
        }
        underWay.append(requestID)
        bytesUnderWay += item.bytes + item.event.answerBytes
        return true
    }

    /// Drops the waiting requests and the undecided `present` requests. Called when the connection needs no more answers.
    mutating func dropAll() {
        waiting = CircularBuffer()
        group = []
    }

    /// Notes that the admitted requests are with the hub.
    mutating func submitted() { isGathering = false }

    /// The connection's action after the hub has answered a request.
    enum AnswerAction {
        /// Send this answer now.
        case send(RoundOutput.Answer)
        /// Send nothing yet: some answers of the group are missing.
        case wait
        /// Send these answers, but not before `heldUntil` if that time is not `nil`. `denied` is the number of denied `present`
        /// requests in the group.
        case sendAll([RoundOutput.Answer], heldUntil: NIODeadline?, denied: Int)
    }

    /// Processes an answer from the hub.
    mutating func answered(_ answer: RoundOutput.Answer, now: NIODeadline) -> AnswerAction {
        // Most answers arrive in the order of their requests, so the search is short.
        if let index = underWay.firstIndex(of: answer.requestID) { underWay.remove(at: index) }
        if underWay.isEmpty { bytesUnderWay = 0 }
        guard !group.isEmpty,
            let index = group[firstUnanswered...].firstIndex(where: {
                $0.requestID == answer.requestID && $0.answer == nil
            })
        else { return .send(answer) }
        group[index].answer = answer
        unanswered -= 1
        guard unanswered == 0 else {
            while group[firstUnanswered].answer != nil { firstUnanswered += 1 }
            return .wait
        }
        let members = group
        group = []
        let denied = members.count { member in
            if case .error(let error) = member.answer?.reply {
                member.isPresent && error.code == .denied
            } else {
                false
            }
        }
        return .sendAll(
            members.compactMap(\.answer), heldUntil: denied > 0 ? departure(now: now) : nil, denied: denied)
    }

    /// The time at which a refusal is sent: a multiple of `deniedMs` after the arrival of the `present`. With a fast disk, the
    /// factor is 1. With a slow disk, the factor reveals far less than the exact time would reveal.
    private func departure(now: NIODeadline) -> NIODeadline? {
        guard limits.deniedMs > 0 else { return nil }
        let interval = Int64(limits.deniedMs) * 1_000_000
        let passed = max(0, (now - presentsCame).nanoseconds)
        return presentsCame + .nanoseconds((passed / interval + 1) * interval)
    }
}

extension ConnectionEvent {
    /// The size of the largest possible answer, in bytes; 0 if every possible answer is a short frame.
    fileprivate var answerBytes: Int {
        guard case .request(let frame) = self else { return 0 }
        return switch frame.request {
        case .withdraw: WireLimits.keyPackage
        case .lookup: WireLimits.nameContent
        default: 0
        }
    }
}
