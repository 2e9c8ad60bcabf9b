import KithWire
import NIOCore
import Testing

@testable import KithRelay

@Suite("What goes to the hub, and when its answers leave")
struct AdmissionTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func present(_ requestID: UInt32) -> Intake {
        .request(ClientFrame(requestID: requestID, request: .present(channel: .random(), epoch: 0, tokens: [])))
    }

    private func ping(_ requestID: UInt32) -> Intake { .request(ClientFrame(requestID: requestID, request: .ping)) }

    private func answer(_ requestID: UInt32, _ reply: Reply) -> LoopBatch.Answer {
        LoopBatch.Answer(connection: 1, requestID: requestID, reply: reply)
    }

    @Test("a refused present is held back, also beside an earlier request that is still under way")
    func held() {
        var admission = Admission(limits: RelayLimits())
        #expect(admission.admit(ping(1), bytes: 10, canAnswer: true, now: start) == true)
        #expect(admission.admit(present(2), bytes: 10, canAnswer: true, now: start) == true)
        admission.submitted()
        guard case .send = admission.answered(answer(1, .done)) else {
            Issue.record("the answer to the ping was kept")
            return
        }
        guard case .sendAll(_, let deadline) = admission.answered(answer(2, .error(.denied))) else {
            Issue.record("the refusal was not held back")
            return
        }
        #expect(deadline == start + .milliseconds(25))
    }

    @Test("an answer to another request under its number does not end a present's time")
    func sameNumber() {
        var admission = Admission(limits: RelayLimits())
        #expect(admission.admit(ping(7), bytes: 10, canAnswer: true, now: start) == true)
        // It waits: whose the next answer is could not be told.
        #expect(admission.admit(present(7), bytes: 10, canAnswer: true, now: start) == false)
        admission.submitted()
        #expect(admission.next(canAnswer: true, now: start) == nil)
        guard case .send = admission.answered(answer(7, .done)) else {
            Issue.record("the answer to the ping was taken for the present's")
            return
        }
        let later = start + .seconds(1)
        #expect(admission.next(canAnswer: true, now: later)?.requestID == 7)
        admission.submitted()
        // Nor does one that comes after it.
        #expect(admission.admit(ping(7), bytes: 10, canAnswer: true, now: later) == false)
        #expect(admission.admit(present(7), bytes: 10, canAnswer: true, now: later) == false)
        guard case .sendAll(let answers, let deadline) = admission.answered(answer(7, .error(.denied))) else {
            Issue.record("the refusal was not held back")
            return
        }
        #expect(answers.count == 1)
        #expect(deadline == later + .milliseconds(25))
    }
}
