import KithWire
import NIOCore

/// Decides which requests of one connection go to the hub and which wait, and in which order answers leave.
///
/// A request waits for two reasons. The first is its size: requests under way are bounded by their number, and by their
/// bytes together with those of the largest possible answers, so that a client that does not read can't queue answers.
/// The second is an earlier `present`. If a token is refused, neither the time of the refusal nor its position among
/// other output may tell what the relay had to look up. So no request overtakes a `present`, and while one is undecided
/// the connection sends nothing at all (``isUndecided``). Presents that arrived together, and the requests that were
/// under way before them, are answered together and in their order. Answers are distinguished by their requests'
/// numbers, so a `present` waits for an earlier request with the same number.
struct Admission {
    struct PendingRequest {
        let event: ConnectionEvent
        let bytes: Int
        let cost: Int

        var requestID: UInt32? { event.requestID }
    }

    private let limits: RelayLimits
    private var waiting = CircularBuffer<PendingRequest>()
    /// The numbers of requests that were admitted and not answered, in their order.
    private var underWay = CircularBuffer<UInt32>()
    private var bytesUnderWay = 0
    /// Presents that were admitted together, behind the requests that were under way then. Empty if no `present` is
    /// under way.
    private var group: [Member] = []
    private var unanswered = 0
    /// Index of the first member that may lack its answer: most answers arrive in order.
    private var firstUnanswered = 0
    private var presentsCame = NIODeadline.uptimeNanoseconds(0)
    /// Whether another `present` may join the group.
    private var isGathering = false

    private struct Member {
        let requestID: UInt32
        let isPresent: Bool
        var answer: RoundOutput.Answer?
    }

    init(limits: RelayLimits) { self.limits = limits }

    /// Whether a `present` is with the hub. The time of any output would tell when the relay had looked it up.
    var isUndecided: Bool { !group.isEmpty }

    /// Whether no request waits.
    var isDrained: Bool { waiting.isEmpty }

    /// Whether more may be read from the connection.
    var wantsMore: Bool { waiting.isEmpty && hasRoom }

    private var hasRoom: Bool { underWay.count < limits.requestsUnderWay && bytesUnderWay < limits.bytesUnderWay }

    /// Takes a request. Returns whether it goes to the hub now; otherwise it waits.
    mutating func admit(_ event: ConnectionEvent, bytes: Int, cost: Int = 1, canAnswer: Bool, now: NIODeadline) -> Bool
    {
        let item = PendingRequest(event: event, bytes: bytes, cost: cost)
        if waiting.isEmpty, letThrough(item, canAnswer: canAnswer, now: now) { return true }
        waiting.append(item)
        return false
    }

    /// The next waiting request, if it may go to the hub now.
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

    /// Drops the waiting requests, and the presents whose answers no longer matter.
    mutating func dropAll() {
        waiting = CircularBuffer()
        group = []
    }

    /// Notes that the admitted requests are with the hub.
    mutating func submitted() { isGathering = false }

    /// The action that follows from an answer.
    enum AnswerAction {
        /// Send this answer.
        case send(RoundOutput.Answer)
        /// Wait for other answers.
        case wait
        /// Send these answers, not before `heldUntil` if it is set. `denied` is the number of denied presents among
        /// them.
        case sendAll([RoundOutput.Answer], heldUntil: NIODeadline?, denied: Int)
    }

    /// Takes an answer from the hub.
    mutating func answered(_ answer: RoundOutput.Answer, now: NIODeadline) -> AnswerAction {
        // Most answers arrive in the order of their requests.
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

    /// The time at which a refusal leaves: a multiple of `deniedMs` after the `present` arrived. One interval is enough
    /// unless the disk is slow; then the number of intervals tells far less than the exact time would.
    private func departure(now: NIODeadline) -> NIODeadline? {
        guard limits.deniedMs > 0 else { return nil }
        let interval = Int64(limits.deniedMs) * 1_000_000
        let passed = max(0, (now - presentsCame).nanoseconds)
        return presentsCame + .nanoseconds((passed / interval + 1) * interval)
    }
}

extension ConnectionEvent {
    /// The largest possible answer in bytes, if it can be longer than a short frame.
    fileprivate var answerBytes: Int {
        guard case .request(let frame) = self else { return 0 }
        return switch frame.request {
        case .withdraw: WireLimits.keyPackage
        case .lookup: WireLimits.nameContent
        default: 0
        }
    }
}
