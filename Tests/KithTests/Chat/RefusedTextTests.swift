import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

extension ChatModelTests {
    @Test("a text that the relay refuses is named and no longer waits")
    func refusedText() throws {
        var model = try model()
        _ = model.open(now: now)
        let queued = try message(7, "much too long", delivery: .queued)
        _ = model.handle(.event(.message(queued)), now: now)
        #expect(model.waitingCount == 1)
        let warning = Warning.longerThanRelayTakes(queued.id, limit: 2_000)
        let outputs = model.handle(.event(.warning(team, warning, times: 1)), now: now)
        #expect(model.waitingCount == 0 && model.farewell == nil)
        #expect(shown(outputs).contains { $0.contains("not sent") && $0.contains("much too long") })
        #expect(shown(outputs).contains { $0.contains("2000 bytes") })
    }

    @Test("a text that a block drops is named and no longer waits")
    func textToBlocked() throws {
        var model = try model()
        _ = model.open(now: now)
        let queued = try message(7, "much too late", delivery: .queued)
        _ = model.handle(.event(.message(queued)), now: now)
        let outputs = model.handle(.event(.warning(team, .notSentToBlocked(queued.id), times: 1)), now: now)
        #expect(model.waitingCount == 0 && model.farewell == nil)
        #expect(
            shown(outputs) == [
                "[not sent: “much too late”]",
                "[a message that waited was not sent and is not kept, because you blocked this person]",
            ])
    }

    @Test("a full relay is reported once, and in the status while a text waits")
    func fullRelay() throws {
        var model = try model()
        _ = model.open(now: now)
        let first = model.handle(.event(.relay(known, .full)), now: now)
        #expect(shown(first).filter { $0.contains("no room") }.count == 1)
        #expect(status(first)??.contains("the relay has no room") == true)
        #expect(shown(model.handle(.event(.relay(known, .full)), now: now)).isEmpty)
        #expect(model.relayTrouble == RelayState.full.fullSentence.description)
        _ = model.handle(.event(.relay(known, .connected)), now: now)
        #expect(model.relayTrouble == nil)
    }
}
