import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

// The user asks who is online.

extension ChatModelTests {
    @Test("/here reports who answers, also shortly after the last report, or that nobody does")
    func here() throws {
        for (summary, who) in [(summary(), "bob did not answer"), (summary(members: 3), "nobody answered")] {
            var model = try model(summary)
            _ = model.open(now: now)
            let event = KithEvent.memberIsOnline(team, bob, name: "bob", .behind(by: 1))
            #expect(shown(model.handle(.event(event), now: now)).count == 1)
            let asked = model.handle(.line("/here"), now: now + 1_000)
            #expect(asked == [.request(.checkPresence), .awaitAnswers])
            #expect(shown(model.handle(.event(event), now: now + 1_100)).count == 1)
            #expect(model.handle(.answersAreDue, now: now + 5_000) == [])
            // Of two questions at once, only the last one is answered.
            for _ in 0..<2 { _ = model.handle(.line("/here"), now: now + 6_000) }
            #expect(model.handle(.answersAreDue, now: now + 10_000) == [])
            #expect(
                shown(model.handle(.answersAreDue, now: now + 10_000))
                    == ["[\(who), so nobody else seems to be online]"])
        }
    }

    @Test("/here says why nobody can answer")
    func nobodyCanAnswer() throws {
        var alone = try model(summary(members: 1))
        _ = alone.open(now: now)
        #expect(
            shown(alone.handle(.line("/here"), now: now)) == ["[nobody can answer here: all other members have left]"])
        var away = try model()
        _ = away.open(now: now)
        _ = away.handle(.event(.relay(known, .waiting(RelayPause(reason: "it refuses", untilMs: 0)))), now: now)
        _ = away.handle(.line("/here"), now: now)
        #expect(
            shown(away.handle(.answersAreDue, now: now)) == [
                "[bob did not answer; the relay can't be asked: it refuses]"
            ])
    }
}
