import KithWire
import NIOCore
import Testing

@testable import KithRelay

@Suite("Admission of requests, and the departure of answers")
struct AdmissionTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func present(_ requestID: UInt32) -> ConnectionEvent {
        .request(ClientFrame(requestID: requestID, request: .present(channel: .random(), epoch: 0, tokens: [])))
    }

    private func ping(_ requestID: UInt32) -> ConnectionEvent {
        .request(ClientFrame(requestID: requestID, request: .ping))
    }

    private func answer(_ requestID: UInt32, _ reply: Reply) -> RoundOutput.Answer {
        RoundOutput.Answer(connection: 1, requestID: requestID, reply: reply)
    }

    private func limits(_ change: (inout RelayLimits) -> Void) -> RelayLimits {
        var limits = RelayLimits()
        change(&limits)
        return limits
    }

    @Test("a refused present takes the answers to earlier requests with it, in the order of the requests")
    func held() {
        var admission = Admission(limits: RelayLimits())
        #expect(admission.admit(ping(1), bytes: 10, canAnswer: true, now: start) == true)
        #expect(!admission.isUndecided)
        #expect(admission.admit(present(2), bytes: 10, canAnswer: true, now: start) == true)
        #expect(admission.isUndecided)
        admission.submitted()
        #expect(admission.admit(ping(3), bytes: 10, canAnswer: true, now: start) == false)
        // The hub answers in the other order. The position of the refusal would tell when it was decided.
        guard case .wait = admission.answered(answer(2, .error(.denied)), now: start) else {
            Issue.record("the refusal did not wait for the earlier answer")
            return
        }
        #expect(admission.isUndecided)
        guard case .sendAll(let answers, let deadline, _) = admission.answered(answer(1, .done), now: start) else {
            Issue.record("the refusal was not held back")
            return
        }
        #expect(answers.map(\.requestID) == [1, 2])
        #expect(deadline == start + .milliseconds(25))
        #expect(!admission.isUndecided)
        #expect(admission.next(canAnswer: true, now: start)?.requestID == 3)
    }

    @Test("a lookup that takes longer than the hold delays the refusal by a whole interval")
    func slowLookup() {
        for (tookMs, leavesMs) in [(0, 25), (24, 25), (25, 50), (26, 50), (99, 100)] as [(Int64, Int64)] {
            var admission = Admission(limits: RelayLimits())
            #expect(admission.admit(present(1), bytes: 10, canAnswer: true, now: start) == true)
            admission.submitted()
            let now = start + .milliseconds(tookMs)
            guard case .sendAll(_, let deadline, _) = admission.answered(answer(1, .error(.denied)), now: now) else {
                Issue.record("the refusal was not held back")
                return
            }
            #expect(deadline == start + .milliseconds(leavesMs))
        }
    }

    @Test("a denial of another request holds no output back")
    func deniedElsewhere() {
        var admission = Admission(limits: RelayLimits())
        #expect(admission.admit(ping(1), bytes: 10, canAnswer: true, now: start) == true)
        #expect(admission.admit(present(2), bytes: 10, canAnswer: true, now: start) == true)
        admission.submitted()
        guard case .wait = admission.answered(answer(1, .error(.denied)), now: start),
            case .sendAll(_, let deadline, _) = admission.answered(answer(2, .granted(.read)), now: start)
        else {
            Issue.record("the answers did not leave together")
            return
        }
        #expect(deadline == nil)
    }

    @Test("an answer to another request with the same number does not end a present's time")
    func sameNumber() {
        var admission = Admission(limits: RelayLimits())
        #expect(admission.admit(ping(7), bytes: 10, canAnswer: true, now: start) == true)
        // The present waits: the next answer could be to either request.
        #expect(admission.admit(present(7), bytes: 10, canAnswer: true, now: start) == false)
        admission.submitted()
        #expect(admission.next(canAnswer: true, now: start) == nil)
        guard case .send = admission.answered(answer(7, .done), now: start) else {
            Issue.record("the answer to the ping was taken for the present's")
            return
        }
        let later = start + .seconds(1)
        #expect(admission.next(canAnswer: true, now: later)?.requestID == 7)
        admission.submitted()
        // The same holds for a request after the present.
        #expect(admission.admit(ping(7), bytes: 10, canAnswer: true, now: later) == false)
        #expect(admission.admit(present(7), bytes: 10, canAnswer: true, now: later) == false)
        guard case .sendAll(let answers, let deadline, _) = admission.answered(answer(7, .error(.denied)), now: later)
        else {
            Issue.record("the refusal was not held back")
            return
        }
        #expect(answers.count == 1)
        #expect(deadline == later + .milliseconds(25))
    }

    @Test("no request goes to the hub while no answer can leave")
    func silent() {
        var admission = Admission(limits: RelayLimits())
        #expect(admission.admit(ping(1), bytes: 10, canAnswer: false, now: start) == false)
        #expect(admission.next(canAnswer: false, now: start) == nil)
        #expect(admission.next(canAnswer: true, now: start)?.requestID == 1)
        #expect(admission.next(canAnswer: true, now: start) == nil)
    }

    @Test("the number of requests under way is limited, and each answer admits one more")
    func number() {
        var admission = Admission(limits: limits { $0.requestsUnderWay = 2 })
        for number in 1...4 as ClosedRange<UInt32> {
            #expect(admission.admit(ping(number), bytes: 0, canAnswer: true, now: start) == (number <= 2))
        }
        #expect(admission.next(canAnswer: true, now: start) == nil)
        _ = admission.answered(answer(1, .done), now: start)
        #expect(admission.next(canAnswer: true, now: start)?.requestID == 3)
        #expect(admission.next(canAnswer: true, now: start) == nil)
    }

    @Test("a request that fills the bytes under way blocks others until it is answered")
    func bytes() {
        var admission = Admission(limits: limits { $0.bytesUnderWay = 100 })
        #expect(admission.admit(ping(1), bytes: 99, canAnswer: true, now: start) == true)
        #expect(admission.admit(ping(2), bytes: 1, canAnswer: true, now: start) == true)
        #expect(admission.admit(ping(3), bytes: 1, canAnswer: true, now: start) == false)
        for number in 1...2 as ClosedRange<UInt32> {
            #expect(admission.next(canAnswer: true, now: start) == nil)
            _ = admission.answered(answer(number, .done), now: start)
        }
        #expect(admission.next(canAnswer: true, now: start)?.requestID == 3)
    }

    @Test("a present that arrives after others were submitted waits for all their answers")
    func later() {
        var admission = Admission(limits: RelayLimits())
        for number in 1...2 as ClosedRange<UInt32> {
            #expect(admission.admit(present(number), bytes: 10, canAnswer: true, now: start) == true)
        }
        admission.submitted()
        #expect(admission.admit(present(3), bytes: 10, canAnswer: true, now: start) == false)
        guard case .wait = admission.answered(answer(1, .granted(.read)), now: start) else {
            Issue.record("one of two answers left alone")
            return
        }
        #expect(admission.next(canAnswer: true, now: start) == nil)
        guard case .sendAll(let answers, _, 0) = admission.answered(answer(2, .granted(.read)), now: start) else {
            Issue.record("the answers did not leave together")
            return
        }
        #expect(answers.map(\.requestID) == [1, 2])
        #expect(admission.next(canAnswer: true, now: start)?.requestID == 3)
    }

    @Test("after presents were answered in order, other answers are sent as they arrive")
    func afterwards() {
        var admission = Admission(limits: RelayLimits())
        for number in 1...2 as ClosedRange<UInt32> {
            #expect(admission.admit(present(number), bytes: 10, canAnswer: true, now: start) == true)
        }
        admission.submitted()
        for number in 1...2 as ClosedRange<UInt32> {
            _ = admission.answered(answer(number, .granted(.read)), now: start)
        }
        #expect(admission.admit(ping(3), bytes: 10, canAnswer: true, now: start) == true)
        guard case .send(let sent) = admission.answered(answer(3, .done), now: start) else {
            Issue.record("the answer did not leave")
            return
        }
        #expect(sent.requestID == 3)
    }

    @Test("a relay that does not delay refusals sends them at once")
    func notHeld() {
        var admission = Admission(limits: limits { $0.deniedMs = 0 })
        #expect(admission.admit(present(1), bytes: 10, canAnswer: true, now: start) == true)
        admission.submitted()
        guard case .sendAll(_, nil, 1) = admission.answered(answer(1, .error(.denied)), now: start) else {
            Issue.record("the refusal was held back")
            return
        }
    }
}
