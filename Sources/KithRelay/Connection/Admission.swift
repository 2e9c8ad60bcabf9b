import KithWire
import NIOCore

/// Decides which requests of one connection go to the hub and which wait, and the order in which answers leave.
///
/// Two things make a request wait. One is its cost: requests under way are bounded by their number, and by their
/// bytes together with those of the largest answers they can get, so that a client that does not read cannot queue
/// answers. The other is a `present` before it: when a token is refused, neither the time nor the place of the refusal
/// among other output may tell what the relay had to look up. So nothing overtakes a `present`, and while one is
/// undecided the connection sends nothing at all (``isUndecided``). Presents that came at once, and the requests that were
/// under way before them, are answered together and in their order. Answers are told apart by their requests' numbers,
/// so a `present` waits for an earlier request under its own number.
struct Admission {
    struct PendingRequest {
        let event: ConnectionEvent
        let bytes: Int
        let cost: Int

        var requestID: UInt32? { event.requestID }
    }

    private let limits: RelayLimits
    private var waiting = CircularBuffer<PendingRequest>()
    /// The numbers of requests that have been let through and not answered, in their order.
    private var underWay = CircularBuffer<UInt32>()
    private var bytesUnderWay = 0
    /// Presents that were let through together, behind the requests that were under way then. Empty if no `present` is.
    private var group: [Member] = []
    private var unanswered = 0
    /// The first of the group that may lack its answer: most answers come in order.
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

    /// Whether a `present` is with the hub. Anything sent now would tell by its time when the relay had looked it up.
    var isUndecided: Bool { !group.isEmpty }

    /// Whether everything that came has been let through.
    var isDrained: Bool { waiting.isEmpty }

    /// Whether more may be read from the connection.
    var wantsMore: Bool { waiting.isEmpty && hasRoom }

    private var hasRoom: Bool { underWay.count < limits.requestsUnderWay && bytesUnderWay < limits.bytesUnderWay }

    /// Takes what came. Returns whether it goes to the hub now; it waits otherwise.
    mutating func admit(_ event: ConnectionEvent, bytes: Int, cost: Int = 1, canAnswer: Bool, now: NIODeadline) -> Bool
    {
        let item = PendingRequest(event: event, bytes: bytes, cost: cost)
        if waiting.isEmpty, letThrough(item, canAnswer: canAnswer, now: now) { return true }
        waiting.append(item)
        return false
    }

    /// The next of those that wait, if it may go now.
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

    /// Forgets the waiting requests, and the presents whose answers no longer matter.
    mutating func dropAll() {
        waiting = CircularBuffer()
        group = []
    }

    /// What was let through is with the hub.
    mutating func submitted() { isGathering = false }

    /// What to do when an answer has come.
    enum AnswerAction {
        /// Send it.
        case send(RoundOutput.Answer)
        /// Others have to come first.
        case wait
        /// Send these, but not before the time if there is one. `denied`: the number of presents among them that were denied.
        case sendAll([RoundOutput.Answer], heldUntil: NIODeadline?, denied: Int)
    }

    /// An answer has come from the hub.
    mutating func answered(_ answer: RoundOutput.Answer, now: NIODeadline) -> AnswerAction {
        // Most come in the order of their requests.
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

    /// The time at which a refusal leaves: a multiple of `deniedMs` after the `present` came. One interval is enough
    /// unless the disk is slow; then the number of intervals tells far less than the exact time would.
    private func departure(now: NIODeadline) -> NIODeadline? {
        guard limits.deniedMs > 0 else { return nil }
        let interval = Int64(limits.deniedMs) * 1_000_000
        let passed = max(0, (now - presentsCame).nanoseconds)
        return presentsCame + .nanoseconds((passed / interval + 1) * interval)
    }
}

extension ConnectionEvent {
    /// The bytes that an answer can have beyond those of a short frame.
    fileprivate var answerBytes: Int {
        guard case .request(let frame) = self else { return 0 }
        return switch frame.request {
        case .withdraw: WireLimits.keyPackage
        case .lookup: WireLimits.nameContent
        default: 0
        }
    }
}
