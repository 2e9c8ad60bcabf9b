import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite("Invalid input in a chat") struct ChatInputTests {
    private let things: ChatModelTests

    init() throws { things = try ChatModelTests() }

    private func opened() throws -> ChatModel {
        var model = try things.model(things.summary(members: 3))
        _ = model.open(now: things.now)
        return model
    }

    @Test("a name may be typed in straight quotes, even in a list")
    func quotes() throws {
        var model = try opened()
        model.contacts[things.bob] = try things.contact(things.bob, "bob (2)")
        let asked = model.handle(.line("/remove \"bob (2)\""), now: things.now)
        #expect(things.shown(asked) == ["[remove “bob (2)” from team? yes or no]"])
        _ = model.handle(.line(""), now: things.now)
        let added = model.handle(.line("/add \"bob (2)\", carol"), now: things.now)
        #expect(things.requests(added) == [.add([things.bob, things.carol])])
        #expect(ForeignText("bob").isShown(as: "\"bob\"") && !ForeignText("bob").isShown(as: "\"bo\""))
    }

    @Test("a yes after a refused command is sent only if it is typed again")
    func yes() throws {
        var model = try opened()
        let refused = model.handle(.line("/remove nobodyx"), now: things.now)
        #expect(things.shown(refused) == ["[there is no contact nobodyx]"])
        let first = model.handle(.line("yes"), now: things.now)
        #expect(things.requests(first).isEmpty)
        #expect(
            things.shown(first) == ["[there is no question to answer; enter it again to send it as a message]"])
        #expect(
            things.requests(model.handle(.line("yes"), now: things.now)) == [
                .send("yes", replyTo: nil, expiresAfter: nil)
            ])
        _ = model.handle(.line("/nonsense"), now: things.now)
        #expect(things.requests(model.handle(.line("hello"), now: things.now)).count == 1)
        _ = model.handle(.line("/members"), now: things.now)
        #expect(things.requests(model.handle(.line("yes"), now: things.now)).count == 1)
    }

    @Test("errors explain an unknown name and the user's own name")
    func names() throws {
        var model = try opened()
        let added = things.shown(model.handle(.line("/add nobodyx"), now: things.now))
        #expect(added.first?.contains("nobodyx; nobody was added. /invite makes") == true, "\(added)")
        let removed = things.shown(model.handle(.line("/remove alice"), now: things.now))
        #expect(removed == ["[that is you; /leave ends the conversation for you]"])
    }

    @Test("a lagging member is reported only if the lag persists")
    func behind() throws {
        var model = try opened()
        func answer(_ log: LogComparison, after ms: UInt64) -> [String] {
            let event = KithEvent.memberIsOnline(things.team, things.bob, name: "bob", log)
            return things.shown(model.handle(.event(event), now: things.now + ms))
        }
        #expect(model.asksAgain)
        #expect(
            answer(.behind(by: 1), after: 0) == ["[bob is online, proved by a signature, and is in the same group]"])
        #expect(model.asksAgain)
        #expect(answer(.behind(by: 1), after: 1_000).isEmpty)
        #expect(answer(.behind(by: 1), after: 3_000).first?.contains("1 entry fewer than you") == true)
        #expect(answer(.same, after: 4_000).isEmpty)
        #expect(!model.asksAgain)
        #expect(answer(.behind(by: 2), after: 5_000).isEmpty)
    }

    @Test("the user is called \"you\"")
    func own() {
        #expect(Notice.added("carol", by: "alice").sentence(for: "alice") == "you added carol")
        #expect(Notice.added("alice", by: "bob").sentence(for: "alice") == "bob added you")
        #expect(Notice.removed("alice", by: "bob").sentence(for: "alice") == "bob removed you")
        #expect(Notice.added("you", by: "bob").sentence(for: "alice") == "bob added “you”")
        #expect(Notice.left("alice").sentence == "alice left")
    }
}
