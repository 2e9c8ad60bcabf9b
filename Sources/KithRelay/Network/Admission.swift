import KithWire
import NIOCore

/// Which requests of one connection go to the hub, and which wait. Answers leave in the order it says.
///
/// Two things make a request wait. One is what it may cost: requests under way are bounded by their number, and by their
/// bytes together with those of the largest answers they can get, so that a client that does not read cannot queue
/// answers. The other is a `present` before it: when a token is refused, neither the time nor the place of the refusal
/// among other answers may tell what the relay had to look up. So nothing overtakes a `present`; several that came at once
/// are decided together and answered together. Answers are told apart by their requests' numbers, so a `present` also waits
/// for an earlier request under its own number: whose answer came would not be known.
struct Admission {
    private struct Item {
        let intake: Intake
        let bytes: Int
    }

    private let limits: RelayLimits
    private var waiting: [Item] = []
    private var waitingFrom = 0
    /// The numbers of requests that have been let through and not answered, in their order.
    private var underWay = CircularBuffer<UInt32>()
    private var bytesUnderWay = 0
    /// Presents that were let through together, with their answers as they come.
    private var presents: [(requestID: UInt32, answer: LoopBatch.Answer?)] = []
    private var presentsCame = NIODeadline.uptimeNanoseconds(0)
    /// Whether another `present` may join those.
    private var isGathering = false

    init(limits: RelayLimits) { self.limits = limits }

    /// Whether everything that came has been let through.
    var isDrained: Bool { waiting.isEmpty }

    /// Whether more may be read from the connection.
    var wantsMore: Bool { waiting.isEmpty && hasRoom }

    private var hasRoom: Bool { underWay.count < limits.requestsUnderWay && bytesUnderWay < limits.bytesUnderWay }

    /// Takes what came. Returns whether it goes to the hub now; it waits otherwise.
    mutating func admit(_ intake: Intake, bytes: Int, canAnswer: Bool, now: NIODeadline) -> Bool {
        let item = Item(intake: intake, bytes: bytes)
        if waiting.isEmpty, letThrough(item, canAnswer: canAnswer, now: now) { return true }
        waiting.append(item)
        return false
    }

    /// The next of those that wait, if it may go now.
    mutating func next(canAnswer: Bool, now: NIODeadline) -> Intake? {
        guard waitingFrom < waiting.count else { return nil }
        let item = waiting[waitingFrom]
        guard letThrough(item, canAnswer: canAnswer, now: now) else { return nil }
        waitingFrom += 1
        if waitingFrom == waiting.count {
            waiting = []
            waitingFrom = 0
        }
        return item.intake
    }

    private mutating func letThrough(_ item: Item, canAnswer: Bool, now: NIODeadline) -> Bool {
        guard canAnswer, hasRoom, let requestID = item.intake.requestID else { return false }
        if case .request(let frame) = item.intake, case .present = frame.request {
            guard presents.isEmpty || isGathering, !underWay.contains(requestID) else { return false }
            presents.append((requestID, nil))
            presentsCame = now
            isGathering = true
        } else if !presents.isEmpty {
            return false
        }
        underWay.append(requestID)
        bytesUnderWay += item.bytes + item.intake.answerBytes
        return true
    }

    /// Forgets what waits.
    mutating func dropWaiting() {
        waiting = []
        waitingFrom = 0
    }

    /// What was let through is with the hub.
    mutating func submitted() { isGathering = false }

    /// What to do when an answer has come.
    enum Step {
        /// Send it.
        case send(LoopBatch.Answer)
        /// Others have to come first.
        case wait
        /// Send these, but not before the time if there is one.
        case sendAll([LoopBatch.Answer], heldUntil: NIODeadline?)
    }

    /// An answer has come from the hub.
    mutating func answered(_ answer: LoopBatch.Answer) -> Step {
        // Most come in the order of their requests.
        if let place = underWay.firstIndex(of: answer.requestID) { underWay.remove(at: place) }
        if underWay.isEmpty { bytesUnderWay = 0 }
        guard !presents.isEmpty,
            let place = presents.firstIndex(where: { $0.requestID == answer.requestID && $0.answer == nil })
        else { return .send(answer) }
        presents[place].answer = answer
        let answers = presents.compactMap(\.answer)
        guard answers.count == presents.count else { return .wait }
        presents = []
        let isDenied = answers.contains { answer in
            if case .error(let error) = answer.reply { error.code == .denied } else { false }
        }
        return .sendAll(
            answers, heldUntil: isDenied ? presentsCame + .milliseconds(Int64(limits.deniedMs)) : nil)
    }
}

extension Intake {
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
