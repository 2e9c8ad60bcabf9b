import Foundation
import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite struct ChatModelTests {
    let now: UInt64 = 1_795_517_600_000
    let team = ConversationID(rawValue: 1)
    let bob = ContactID(rawValue: 1)
    let carol = ContactID(rawValue: 2)
    let relay: RelayAddress

    let relayPin = RelayPin(ofSubjectPublicKeyInfo: [1])
    var known: KnownRelay { KnownRelay(address: relay, pin: relayPin) }

    init() throws { relay = try #require(RelayAddress("127.0.0.1:7443")) }

    // MARK: Opening

    @Test("a chat opens with the day, the last page, the unread messages, and the trust")
    func opening() throws {
        let history = [
            try message(1, "old", seq: 1, delivery: .read(by: 1)), try message(2, "answer", from: fromBob(), seq: 2),
            try message(3, "new", from: fromBob(), seq: 3),
        ]
        var model = try model(summary(unread: 1, readThrough: 2), history: history)
        let outputs = model.open(now: now)
        #expect(
            shown(outputs) == [
                "── Tuesday, 24 November 2026 ──", "1  10:53  alice : old ✓✓", "2  10:53  bob (verified) : answer",
                "── unread ──",
                "3  10:53  bob (verified) : new", "[bob is verified: from their invite]",
            ])
        #expect(requests(outputs) == [.markRead(through: 3), .checkPresence])
    }

    @Test("an unverified contact is marked at every message and in words")
    func unverified() throws {
        var model = try model(history: [message(1, "hi", from: fromBob(.unverified), seq: 1)], trust: .unverified)
        let lines = shown(model.open(now: now))
        #expect(lines[1] == "1  10:53  bob (unverified) : hi")
        #expect(
            lines[2] == "[bob is unverified: the key came from a relay or a group. Compare numbers with /verify]")
    }

    @Test("a program gets only unread messages")
    func program() throws {
        let history = [try message(1, "old", from: fromBob(), seq: 1), try message(2, "new", from: fromBob(), seq: 2)]
        var model = try model(summary(unread: 1, readThrough: 1), history: history, isForPerson: false)
        let lines = shown(model.open(now: now))
        #expect(!lines.contains("bob (verified) : old"))
        #expect(lines.contains("bob (verified) : new"))
        #expect(
            requests(model.handle(.line("/etc/hosts changed"), now: now)) == [
                .send("/etc/hosts changed", replyTo: nil, expiresAfter: nil)
            ])
    }

    // MARK: Delivery

    @Test("the user's message is in the status until the relay has it, and then shown once")
    func delivery() throws {
        var model = try model()
        _ = model.open(now: now)
        let sent = ChatRequest.send("hi", replyTo: nil, expiresAfter: nil)
        let queued = model.handle(.answered(sent, .success(.sent(try id(7)))), now: now)
        #expect(shown(queued) == [])
        #expect(status(queued) == "[sending: “hi”]")
        #expect(model.waitingCount == 1)
        #expect(model.handle(.event(.message(try message(7, "hi", delivery: .queued))), now: now) == [])
        #expect(model.handle(.event(.message(try message(7, "hi", delivery: .onRelay))), now: now) == [])
        let onRelay = model.handle(.event(.message(try message(7, "hi", seq: 4, delivery: .onRelay))), now: now)
        #expect(shown(onRelay) == ["── Tuesday, 24 November 2026 ──", "4  10:53  alice : hi ✓"])
        #expect(status(onRelay) == .some(nil))
        #expect(model.waitingCount == 0)
        #expect(model.handle(.event(.message(try message(7, "hi", seq: 4, delivery: .onRelay))), now: now) == [])
        let read = model.handle(.event(.message(try message(7, "hi", seq: 4, delivery: .read(by: 1)))), now: now)
        #expect(shown(read) == [])
        #expect(mark(of: 4, read) == "✓✓")
        #expect(readNotice(read) == "[bob has read up to here]")
        #expect(model.handle(.event(.message(try message(7, "hi", seq: 4, delivery: .read(by: 1)))), now: now) == [])
    }

    @Test("messages from an earlier run are in the status, and mentioned at the end")
    func waiting() throws {
        var model = try model(history: [message(1, "one", delivery: .queued), message(2, "two", delivery: .queued)])
        let outputs = model.open(now: now)
        #expect(status(outputs) == "[sending: “one” and 1 more]")
        let away = model.handle(.event(.relay(known, .waiting(RelayPause(reason: "it refuses", untilMs: 0)))), now: now)
        #expect(status(away) == "[waiting: “one” and 1 more · it refuses; trying again]")
        #expect(model.handle(.event(.relay(known, .connecting)), now: now) == [])
        #expect(model.farewell?.text == "[2 messages wait on this device, and go out when Kith runs again]")
    }

    // MARK: What arrives

    @Test("a message is shown once, with its warnings in red below")
    func warnings() throws {
        var model = try model()
        _ = model.open(now: now)
        let odd = try message(
            1, "hi", from: fromBob(), seq: 9,
            Received(warnings: [.missingBefore(2), .differentLogs(first: 3, last: 8)]))
        let outputs = model.handle(.event(.message(odd)), now: now)
        let lines = outputs.flatMap { if case .show(let lines) = $0 { lines } else { [] as [ScreenLine] } }
        #expect(lines.map(\.kind) == [.explanation, .message, .failure, .failure])
        #expect(lines[2].text.contains("2 earlier messages"))
        #expect(lines[3].text.contains("different histories"))
        #expect(requests(outputs) == [.markRead(through: 9)])
        #expect(model.handle(.event(.message(odd)), now: now) == [])
    }

    @Test("each notice of an entry is shown once, and a count again when it has grown")
    func notices() throws {
        var model = try model()
        _ = model.open(now: now)
        let entry = try id(1)
        var told: [String] = []
        for notice: Notice in [
            .added("ben", by: "alice"), .added("cem", by: "alice"), .added("ben", by: "alice"),
            .unreadable(.malformed, from: "bob", count: 1), .unreadable(.malformed, from: "bob", count: 2),
            .unreadable(.malformed, from: "bob", count: 2),
        ] {
            let message = Message(
                id: entry, conversation: team, seq: 9, author: .kith, body: .notice(notice), sentAtMs: now,
                replyTo: nil, delivery: nil, warnings: [])
            told += shown(model.handle(.event(.message(message)), now: now)).filter { !$0.hasPrefix("──") }
        }
        #expect(told.prefix(2) == ["[you added ben]", "[you added cem]"])
        #expect(told.count == 4 && told[3].contains("2 entries"))
    }

    @Test("the lines of a long message can't pass for other people's")
    func lineBreaks() throws {
        var model = try model()
        _ = model.open(now: now)
        let text = "yes\nalice : I agree ✓\r\nbob : so do I\u{2028}carol : me too"
        let lines = shown(model.handle(.event(.message(try message(1, text, from: fromBob(), seq: 9))), now: now))
        #expect(
            lines.dropFirst() == [
                "9  10:53  bob (verified) : yes", "  │ alice : I agree ✓", "  │ bob : so do I<U+2028>carol : me too",
            ])
        let flood = String(repeating: "\n", count: 60_000)
        #expect(
            shown(model.handle(.event(.message(try message(2, flood, from: fromBob(), seq: 10))), now: now)).count < 300
        )
    }

    @Test("an ambiguous name is put in quotes")
    func names() throws {
        #expect(SafeText.name("Zoë van der Berg") == "Zoë van der Berg")
        #expect(SafeText.name("李小龙") == "李小龙")
        #expect(SafeText.name("bob (verified) : yes") == "“bob (verified) : yes”")
        #expect(SafeText.name("x\u{202E}") == "“x<U+202E>”")
        #expect(SafeText.name("") == "“”")
        // The words for the user and the program, also with invisible characters.
        for name in ["you", "You", "YOU", "kith", "Kith", "yo\u{34F}u", "\u{3164}"] {
            #expect(SafeText.name(name) == "“\(name)”")
        }
        #expect(SafeText.name("young") == "young")
    }

    @Test("a changed key leads to a warning with both fingerprints and the commands that decide")
    func changedKey() throws {
        var model = try model()
        _ = model.open(now: now)
        var changed = try contact(bob, "bob")
        changed.conflictingKey = AccountKey(Array(repeating: 9, count: 32))
        let lines = shown(model.handle(.event(.contact(changed)), now: now))
        #expect(lines.count == 1)
        #expect(lines[0].contains(changed.accountKey.fingerprint.description))
        #expect(lines[0].contains(try #require(changed.conflictingKey).fingerprint.description))
        #expect(lines[0].contains("/accept bob or /keep bob"))
        #expect(requests(model.handle(.line("/accept bob"), now: now)) == [])
        #expect(requests(model.handle(.line("yes"), now: now)) == [.decideKey(bob, accept: true)])
    }

    @Test("a suspect relay, a removal and messages elsewhere are reported once")
    func changes() throws {
        var model = try model()
        _ = model.open(now: now)
        let suspect = KithEvent.conversation(summary(isSuspect: true))
        #expect(shown(model.handle(.event(suspect), now: now)).first?.contains("/continue") == true)
        #expect(model.handle(.event(suspect), now: now) == [])
        #expect(
            shown(model.handle(.event(.conversation(summary(status: .removed(by: "bob")))), now: now))
                == ["[bob removed you from this conversation]"])
        let elsewhere = try message(
            5, "hi", from: .contact(carol, name: "carol", .invite), seq: 1,
            Received(conversation: ConversationID(rawValue: 2)))
        #expect(shown(model.handle(.event(.message(elsewhere)), now: now)) == ["[carol wrote to you]"])
        #expect(model.handle(.event(.message(elsewhere)), now: now) == [])
    }

    // MARK: Lines

    @Test("typed text is sent, with the reply and expiry that were chosen")
    func sending() throws {
        var model = try model()
        _ = model.open(now: now)
        _ = model.handle(.event(.message(try message(1, "well?", from: fromBob(), seq: 5))), now: now)
        #expect(requests(model.handle(.line("//x"), now: now)) == [.send("/x", replyTo: nil, expiresAfter: nil)])
        #expect(
            requests(model.handle(.line("/reply fine"), now: now)) == [
                .send("fine", replyTo: try id(1), expiresAfter: nil)
            ])
        #expect(requests(model.handle(.line("/reply 6 fine"), now: now)) == [])
        let expiring = model.handle(.line("/expire 10m"), now: now)
        #expect(status(expiring) == "[your messages expire after 10 minutes]")
        #expect(
            requests(model.handle(.line("gone soon"), now: now)) == [
                .send("gone soon", replyTo: nil, expiresAfter: 600)
            ])
        let answered = try message(2, "as said", from: fromBob(), seq: 6, Received(replyTo: 1))
        #expect(shown(model.handle(.event(.message(answered)), now: now)).first == "  ↳ to “well?”")
    }

    @Test("a failed send is reported and changes nothing else")
    func refused() throws {
        var model = try model()
        _ = model.open(now: now)
        let request = ChatRequest.send("hi", replyTo: nil, expiresAfter: nil)
        let outputs = model.handle(.answered(request, .failure(.suspect)), now: now)
        #expect(shown(outputs).first?.hasPrefix("[not sent: ") == true)
        #expect(model.waitingCount == 0)
    }

    @Test("keyboard lines are commands even if a program reads the output, and questions are shown")
    func commandsWithoutStatus() throws {
        var model = try model(isForPerson: false, takesCommands: true)
        _ = model.open(now: now)
        let help = model.handle(.line("/help"), now: now)
        #expect(requests(help) == [] && !shown(help).isEmpty)
        #expect(shown(model.handle(.line("/leave"), now: now)) == ["[leave bob for good? yes or no]"])
        _ = model.handle(.line("no"), now: now)
        #expect(model.handle(.line("/quit"), now: now) == [.quit])
    }

    @Test("/leave asks, and only a yes leaves")
    func leaving() throws {
        var model = try model()
        _ = model.open(now: now)
        #expect(shown(model.handle(.line("/leave"), now: now)) == ["[leave bob for good? yes or no]"])
        let other = model.handle(.line("see you tomorrow"), now: now)
        #expect(requests(other) == [])
        #expect(shown(other).first?.contains("nothing was sent") == true)
        #expect(requests(model.handle(.line("Yes "), now: now)) == [.leave])
        #expect(model.handle(.answered(.leave, .success(.done)), now: now).last == .quit)
    }

    @Test("the answer to a number comparison decides about the trust")
    func verifying() throws {
        var model = try model()
        _ = model.open(now: now)
        #expect(requests(model.handle(.line("/verify"), now: now)) == [.safetyNumber(bob)])
        let number = SafetyNumber(try contact(bob, "bob").accountKey, try contact(carol, "carol").accountKey)
        let lines = shown(model.handle(.answered(.safetyNumber(bob), .success(.safetyNumber(number))), now: now))
        #expect(lines.joined().filter(\.isNumber) == number.digits)
        #expect(requests(model.handle(.line("no"), now: now)) == [])
        _ = model.handle(.answered(.safetyNumber(bob), .success(.safetyNumber(number))), now: now)
        #expect(requests(model.handle(.line("y"), now: now)) == [.setVerified(bob, true)])
    }

    @Test("/add takes several names, or one with spaces")
    func adding() throws {
        var model = try model(summary(members: 2))
        _ = model.open(now: now)
        #expect(requests(model.handle(.line("/add Carol, bob"), now: now)) == [.add([carol, bob])])
        #expect(requests(model.handle(.line("/add carol dave"), now: now)) == [])
        #expect(requests(model.handle(.line("/remove carol"), now: now)) == [])
        #expect(requests(model.handle(.line("yes"), now: now)) == [.remove(carol)])
        #expect(shown(model.handle(.line("/verify"), now: now)).first?.contains("add a member's name") == true)
    }

    @Test("/history shows numbered pages, and their messages can be answered")
    func earlier() throws {
        var model = try model(history: [message(9, "now", from: fromBob(), seq: 9)])
        _ = model.open(now: now)
        #expect(requests(model.handle(.line("/history"), now: now)) == [.history(before: 9, limit: ChatModel.page)])
        let page = ChatAnswer.messages([try message(4, "then", from: fromBob(), seq: 4)])
        let lines = shown(model.handle(.answered(.history(before: 9, limit: 50), .success(page)), now: now))
        #expect(
            lines == [
                "── earlier ──", "── Tuesday, 24 November 2026 ──", "4  10:53  bob (verified) : then",
                "── /history: more ──",
            ])
        #expect(requests(model.handle(.line("/history 10"), now: now)) == [.history(before: 4, limit: 10)])
        #expect(
            requests(model.handle(.line("/reply 4 indeed"), now: now)) == [
                .send("indeed", replyTo: try id(4), expiresAfter: nil)
            ])
        #expect(requests(model.handle(.line("/explain"), now: now)) == [.explain(9)])
    }

    @Test("a refusal of another key at the same address does not concern the conversation")
    func anotherKey() throws {
        var model = try model()
        let other = KnownRelay(address: relay, pin: RelayPin(ofSubjectPublicKeyInfo: [2]), namedBy: "eve")
        let refusal = RelayState.refused(.pinMismatch(expected: other.pin, found: relayPin))
        #expect(model.handle(.event(.relay(other, refusal)), now: now) == [])
        #expect(shown(model.handle(.event(.relay(known, refusal)), now: now)).first?.contains("new invite") == true)
        // Later attempts are not shown until one succeeds.
        #expect(shown(model.handle(.event(.relay(known, .connecting)), now: now)) == [])
        #expect(shown(model.handle(.event(.relay(known, refusal)), now: now)) == [])
        let connected = shown(model.handle(.event(.relay(known, .connected)), now: now))
        #expect(connected == ["[connected to the relay at 127.0.0.1:7443]"])
    }

}
