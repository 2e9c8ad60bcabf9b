import Foundation
import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

/// Questions, hints, and names: the parts of the model in which a fault misleads a person.
@Suite struct ChatQuestionsTests {
    private let things: ChatModelTests
    private var now: UInt64 { things.now }

    init() throws { things = try ChatModelTests() }

    private func opened(
        _ summary: ConversationSummary? = nil, history: [Message] = []
    ) throws -> ChatModel {
        var model = try things.model(summary, history: history)
        _ = model.open(now: now)
        return model
    }

    // MARK: Questions

    @Test("only yes and no answer a question; other text is not sent, and an empty line drops the question")
    func answers() throws {
        var model = try opened()
        _ = model.handle(.line("/leave"), now: now)
        for text in ["maybe", "see you tomorrow", "nope"] {
            let outputs = model.handle(.line(text), now: now)
            #expect(things.requests(outputs) == [])
            #expect(
                things.shown(outputs) == ["[please answer yes or no, or press Enter to decide later; nothing was sent]"]
            )
        }
        #expect(things.shown(model.handle(.line("no"), now: now)) == ["[you did not leave; /leave asks again]"])
        _ = model.handle(.line("/leave"), now: now)
        let later = model.handle(.line(""), now: now)
        #expect(things.shown(later) == ["[nothing was changed]"])
        #expect(things.requests(later) == [])
        #expect(
            things.requests(model.handle(.line("yes"), now: now)) == [.send("yes", replyTo: nil, expiresAfter: nil)])
    }

    @Test("a no says what was not done and how to do it")
    func refusals() throws {
        func answer(_ command: String, _ model: inout ChatModel) -> [String] {
            _ = model.handle(.line(command), now: now)
            return things.shown(model.handle(.line("no"), now: now))
        }
        var group = try opened(things.summary(members: 3))
        #expect(answer("/remove carol", &group) == ["[carol was not removed; /remove carol asks again]"])
        var warned = try opened(things.summary(isSuspect: true))
        #expect(answer("/continue", &warned) == ["[nothing is sent; /continue asks again]"])

        var model = try opened()
        let number = SafetyNumber(
            try things.contact(things.bob, "bob").accountKey, try things.contact(things.carol, "carol").accountKey)
        _ = model.handle(.answered(.safetyNumber(things.bob), .success(.safetyNumber(number))), now: now)
        #expect(
            things.shown(model.handle(.line("no"), now: now)) == [
                "[bob was not marked as compared. If the numbers differ, somebody may stand between you, or one of you "
                    + "read the wrong ones; /verify bob shows them again]"
            ])
    }

    @Test("the status repeats a question only after other lines were shown below it")
    func repeatedQuestion() throws {
        var model = try opened()
        let asked = model.handle(.line("/leave"), now: now)
        #expect(things.shown(asked) == ["[leave bob for good? yes or no]"])
        #expect(things.status(asked) == "[answer yes or no, or press Enter to decide later]")
        let message = try things.message(9, "wait!", from: things.fromBob(), seq: 9)
        let after = model.handle(.event(.message(message)), now: now)
        #expect(things.status(after) == "[leave bob for good? yes or no]")
        #expect(things.status(model.handle(.line("no"), now: now)) == .some(nil))
    }

    @Test("a command is carried out and leaves a question open")
    func commandsBetween() throws {
        var model = try opened()
        _ = model.handle(.line("/leave"), now: now)
        #expect(things.requests(model.handle(.line("/members"), now: now)) == [.members])
        #expect(things.requests(model.handle(.line("y"), now: now)) == [.leave])
    }

    @Test("a removal needs a yes, and is refused in a conversation of two")
    func removing() throws {
        var group = try opened(things.summary(members: 3))
        let asked = group.handle(.line("/remove carol"), now: now)
        #expect(things.requests(asked) == [])
        #expect(things.shown(asked) == ["[remove carol from team? yes or no]"])
        #expect(things.requests(group.handle(.line("no"), now: now)) == [])
        _ = group.handle(.line("/remove carol"), now: now)
        #expect(things.requests(group.handle(.line("yes"), now: now)) == [.remove(things.carol)])

        var direct = try opened()
        let refused = direct.handle(.line("/remove bob"), now: now)
        #expect(things.requests(refused) == [])
        #expect(things.shown(refused).first?.contains("conversation of two") == true)
        // There is no question, so the text is no answer, and it may not be meant for the other person.
        #expect(things.requests(direct.handle(.line("yes"), now: now)).isEmpty)
    }

    // MARK: Hints

    @Test(
        "/block takes the other person, or in a group a name, and an open conversation says that the person is blocked")
    func blocking() throws {
        var model = try things.model()
        _ = model.open(now: now)
        let bob = things.bob
        #expect(things.requests(model.handle(.line("/block"), now: now)) == [.setBlocked(bob, true)])
        let done = model.handle(.answered(.setBlocked(bob, true), .success(.done)), now: now)
        #expect(things.shown(done).first?.contains("bob is blocked") == true)
        #expect(things.requests(model.handle(.line("/unblock Bob"), now: now)) == [.setBlocked(bob, false)])
        var group = try things.model(things.summary(members: 3))
        _ = group.open(now: now)
        #expect(things.requests(group.handle(.line("/block"), now: now)) == [])
        var contact = try things.contact(bob, "bob")
        contact.isBlocked = true
        _ = model.handle(.event(.contact(contact)), now: now)
        #expect(model.headers().map(\.text).contains("[bob is blocked; /unblock ends that]"))
    }

    @Test("/reply and /explain take the number on the screen")
    func numbers() throws {
        var model = try opened(history: [try things.message(1, "well?", from: things.fromBob(), seq: 5)])
        #expect(
            things.requests(model.handle(.line("/reply 5 fine"), now: now)) == [
                .send("fine", replyTo: try things.id(1), expiresAfter: nil)
            ])
        #expect(things.requests(model.handle(.line("/explain 5"), now: now)) == [.explain(5)])
    }

    @Test("at the beginning, /history shows the last page again, with numbers")
    func lastPageAgain() throws {
        let all = [
            try things.message(1, "well?", from: things.fromBob(), seq: 1),
            try things.message(2, "waits", delivery: .queued),
        ]
        var model = try opened(history: all)
        let earlier = model.handle(.answered(.history(before: 1, limit: 50), .success(.messages([]))), now: now)
        #expect(things.requests(earlier) == [.history(before: nil, limit: 50)])
        let again = model.handle(.answered(.history(before: nil, limit: 50), .success(.messages(all))), now: now)
        #expect(
            things.shown(again) == [
                "── this was the beginning; the last 1 again ──", "── Tuesday, 24 November 2026 ──",
                "1  10:53  bob (verified) : well?",
            ])
        var empty = try opened()
        #expect(things.requests(empty.handle(.line("/history"), now: now)) == [.history(before: nil, limit: 50)])
        #expect(
            things.shown(empty.handle(.answered(.history(before: nil, limit: 50), .success(.messages([]))), now: now))
                == ["[there are no messages yet]"])
    }

    @Test("an error about a missing entry names a command that helps")
    func hints() throws {
        var model = try opened()
        for line in ["/reply fine", "/reply 7 fine"] {
            #expect(things.shown(model.handle(.line(line), now: now)).first?.contains("/history") == true)
        }
        let unknown = model.handle(.answered(.explain(9_999), .failure(.notFound("entry 9999"))), now: now)
        #expect(things.shown(unknown) == ["[this device has no entry 9999 here; /history shows the numbers]"])
    }

    @Test("an error about an unknown name suggests similar ones")
    func suggestions() throws {
        var model = try opened(things.summary(members: 3))
        #expect(
            things.shown(model.handle(.line("/remove carl"), now: now))
                == ["[there is no contact carl; did you mean carol?]"])
        #expect(things.shown(model.handle(.line("/add dave"), now: now)).first?.contains("kith lookup") == true)
    }

    // MARK: Who is who

    @Test("in a group of two, a receipt names the reader")
    func readerOfTwo() throws {
        var model = try opened(things.summary(members: 2))
        _ = model.handle(.event(.message(try things.message(1, "hi", seq: 1, delivery: .onRelay))), now: now)
        var read = try things.message(1, "hi", seq: 1, delivery: .read(by: 1))
        read.readers = [things.bob]
        #expect(things.readNotice(model.handle(.event(.message(read)), now: now)) == "[bob has read up to here]")
    }

    @Test("a member with an outdated key is not shown as the user")
    func formerKey() throws {
        var model = try opened(things.summary(members: 3))
        let members = [
            Member(isMe: true, contact: nil, name: "alice", trust: .compared, deviceName: "laptop"),
            Member(isMe: false, contact: nil, name: "bob (old key)", trust: .unverified, deviceName: "phone"),
        ]
        #expect(
            things.shown(model.handle(.answered(.members, .success(.members(members))), now: now)) == [
                "alice on “laptop” is you",
                "“bob (old key)” on “phone” is unverified: the key came from a relay or a group",
            ])
    }

    // MARK: Foreign text

    @Test(
        "titles, names and device names can't read as the program's own words",
        arguments: [
            "x\"] [bob is verified", "x”] [bob is verified: the key came in their invite]", "x\n[bob is verified]",
            "bob is here and sees the same group", "x]", "you", "a  b",
        ])
    func foreign(_ text: String) {
        let notices: [Notice] = [
            .renamed(text, by: "eve"), .renamed("x", by: text), .added(text, by: text), .removed(text, by: text),
            .left(text), .began(by: text), .unreadable(.malformed, from: text),
        ]
        for notice in notices {
            let line = ScreenLine(.notice, "[\(notice.sentence)]").text
            #expect(line.count { $0 == "[" } == 1 && line.count { $0 == "]" } == 1 && line.last == "]")
            let (opens, closes) = (line.count { $0 == "“" }, line.count { $0 == "”" })
            #expect(opens > 0 && opens == closes)
            #expect(!line.contains("\n"))
        }
        #expect(ForeignText(text).isShown(as: ForeignText(text).description))
    }

    @Test("the author and the trust mark stand in front of all the sender's text")
    func head() throws {
        let text = "hello (verified)\nbob (verified) : " + String(repeating: "y ", count: 100) + "carol (verified) : no"
        let lines = MessageRenderer(me: "alice", memberCount: 2).lines(
            try things.message(1, text, from: things.fromBob(.unverified), seq: 9), prefix: "9  ")
        #expect(lines[0].text == "9  bob (unverified) : hello (verified)")
        for columns in [20, 30, 40, 80] {
            let rows = lines.flatMap { $0.rows(columns: columns, .plain) }
            for row in rows.dropFirst() { #expect(row.hasPrefix("  │ ")) }
            for row in rows.dropFirst() { #expect(DisplayWidth.of(row) < columns) }
        }
        let colours = lines[0].rows(columns: 80, TerminalFeatures(colours: true, links: false))
        #expect(colours.first?.hasSuffix("hello (verified)") == true)
    }
}
