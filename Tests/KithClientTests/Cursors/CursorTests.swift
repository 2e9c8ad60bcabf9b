import KithSimulation
import KithWire
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A cursor", .timeLimit(.minutes(5)))
struct CursorTests {
    let fixture: CursorFixture

    init() throws { fixture = try CursorFixture() }

    @Test("delivers each message of others once and in order, while more arrive than are read")
    func noGap() throws {
        let conversations = [try fixture.conversation(), try fixture.conversation(), try fixture.conversation()]
        var said: [ConversationID: [String]] = [:]
        var read: [ConversationID: [String]] = [:]
        var number = 0
        func say(_ count: Int) throws {
            for _ in 0..<count {
                number += 1
                let conversation = conversations[number % 7 % 3]
                try fixture.say("\(number)", in: conversation)
                said[conversation, default: []].append("\(number)")
                if number % 3 == 0 { try fixture.receipt(in: conversation) }
                if number % 5 == 0 { try fixture.say("own", in: conversation, by: .me) }
            }
        }
        try say(500)
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        for _ in 0..<500 {
            let entry = try #require(try fixture.next(reader))
            #expect(!entry.isRepeated)
            read[entry.message.conversation, default: []].append(entry.message.text ?? "?")
            try say(3)
        }
        while let entry = try fixture.next(reader) {
            read[entry.message.conversation, default: []].append(entry.message.text ?? "?")
        }
        #expect(number == 2_000)
        #expect(read == said)
    }

    @Test("does not skip an entry that arrives in the step in which it reads")
    func sameStep() throws {
        let id = try fixture.conversation()
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        let seq = try fixture.beginStep(in: id)
        guard case .unfinished = try fixture.perform(.nextIncoming(reader)) else {
            Issue.record("the reader would wait")
            return
        }
        try fixture.store("ping", seq: seq, in: id)
        #expect(try fixture.texts(reader) == ["ping"])
    }

    @Test("skips more than a page of entries that it does not deliver")
    func passesOver() throws {
        let id = try fixture.conversation()
        for _ in 0..<3 * ClientLimits.cursorPage { try fixture.receipt(in: id) }
        try fixture.append(.expired, .contact(ContactID(rawValue: 9)), to: id)
        try fixture.say("there", in: id)
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        #expect(try fixture.texts(reader) == ["there"])
    }

    @Test("serves a conversation while another has many messages")
    func inTurn() throws {
        let (loud, quiet) = (try fixture.conversation(), try fixture.conversation())
        for number in 0..<10 { try fixture.say("loud \(number)", in: loud) }
        try fixture.say("quiet", in: quiet)
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        #expect(try fixture.texts(reader).prefix(3) == ["loud 0", "quiet", "loud 1"])
    }

    @Test("delivers unacknowledged messages again, marked as repeated")
    func repeats() throws {
        let id = try fixture.conversation()
        for text in ["one", "two", "three"] { try fixture.say(text, in: id) }
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        let one = try #require(try fixture.next(reader))
        try fixture.perform(.acknowledge(one.place))
        _ = try fixture.next(reader)
        try fixture.reopen()
        let again = try fixture.perform(.openCursor("bot", from: .beginning))
        let two = try #require(try fixture.next(again))
        #expect(two.message.text == "two" && two.isRepeated)
        let three = try #require(try fixture.next(again))
        #expect(three.message.text == "three" && !three.isRepeated)
        #expect(try fixture.next(again) == nil)
    }

    @Test("never delivers a message again that was replied to")
    func replies() throws {
        let id = try fixture.conversation()
        try fixture.say("ping", in: id)
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        let ping = try #require(try fixture.next(reader))
        let pong = try fixture.reply("pong", to: ping)
        #expect(fixture.machine.state.conversations[id]?.machine.outbox.item(pong)?.replyTo == ping.message.id)
        try fixture.reopen()
        #expect(fixture.outbox(id) == ["pong"])
        #expect(try fixture.next(try fixture.perform(.openCursor("bot", from: .beginning))) == nil)
    }

    @Test("neither replies nor acknowledges on a full disk")
    func replyFails() throws {
        let id = try fixture.conversation()
        try fixture.say("ping", in: id)
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        let ping = try #require(try fixture.next(reader))
        fixture.store.failCommits(with: .full)
        #expect(throws: StoreError.full) { try fixture.reply("pong", to: ping) }
        fixture.store.failCommits(with: nil)
        try fixture.reopen()
        #expect(fixture.outbox(id) == [])
        let again = try #require(try fixture.next(try fixture.perform(.openCursor("bot", from: .beginning))))
        #expect(again.message.text == "ping" && again.isRepeated)
    }

    @Test("does not acknowledge a message whose reply can't be sent")
    func replyIsRefused() throws {
        let id = try fixture.conversation()
        try fixture.say("ping", in: id)
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        let ping = try #require(try fixture.next(reader))
        #expect(throws: KithError.blankText) { try fixture.reply(" ", to: ping) }
        try fixture.change(id) { $0.end(.left) }
        #expect(throws: KithError.conversation(.left)) { try fixture.reply("pong", to: ping) }
        // Messages from before this device left are still delivered.
        let again = try #require(try fixture.next(try fixture.perform(.openCursor("bot", from: .beginning))))
        #expect(again.message.text == "ping" && again.isRepeated)
    }

    @Test("is independent of other cursors and of read marks")
    func independent() throws {
        let id = try fixture.conversation()
        let last = try ["one", "two"].map { try fixture.say($0, in: id) }.last
        let first = try fixture.perform(.openCursor("first", from: .beginning))
        let second = try fixture.perform(.openCursor("second", from: .beginning))
        let one = try #require(try fixture.next(first))
        try fixture.perform(.acknowledge(one.place))
        #expect(try fixture.machine.conversationSummary(id).readThrough == 0)
        try fixture.perform(.markRead(id, through: try #require(last), sendsReceipt: false))
        #expect(try fixture.texts(second) == ["one", "two"])
        #expect(try fixture.texts(first) == ["two"])
        try fixture.reopen()
        #expect(try fixture.texts(try fixture.perform(.openCursor("first", from: .beginning))) == ["two"])
        #expect(try fixture.texts(try fixture.perform(.openCursor("second", from: .beginning))) == ["one", "two"])
        #expect(try fixture.machine.cursorNames() == ["first", "second"])
    }

    @Test("counts the acknowledgement of a message for all earlier ones, and ignores late ones")
    func outOfOrder() throws {
        let (id, other) = (try fixture.conversation(), try fixture.conversation())
        for text in ["one", "two", "three"] { try fixture.say(text, in: id) }
        try fixture.say("elsewhere", in: other)
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        var entries: [IncomingEntry] = []
        while let entry = try fixture.next(reader) {
            if entry.message.conversation == id { entries.append(entry) }
        }
        try fixture.perform(.acknowledge(entries[1].place))
        try fixture.perform(.acknowledge(entries[0].place))
        try fixture.reopen()
        let again = try fixture.texts(try fixture.perform(.openCursor("bot", from: .beginning)))
        #expect(again == ["three", "elsewhere"])
    }

    @Test("belongs to the latest reader")
    func takenOver() throws {
        let id = try fixture.conversation()
        for text in ["one", "two"] { try fixture.say(text, in: id) }
        let earlier = try fixture.perform(.openCursor("bot", from: .beginning))
        let one = try #require(try fixture.next(earlier))
        let later = try fixture.perform(.openCursor("bot", from: .beginning))
        #expect(throws: KithError.cursor(.takenOver("bot"))) { try fixture.perform(.nextIncoming(earlier)) }
        #expect(try fixture.next(later)?.isRepeated == true)
        // The earlier reader finishes its work.
        try fixture.perform(.acknowledge(one.place))
        #expect(try fixture.texts(later) == ["two"])
    }

    @Test("begins after the last message on request, and only when it is new")
    func beginsNow() throws {
        let (id, other) = (try fixture.conversation(), try fixture.conversation())
        try fixture.say("before", in: id)
        let reader = try fixture.perform(.openCursor("bot", from: .now))
        #expect(try fixture.next(reader) == nil)
        try fixture.say("after", in: id)
        try fixture.say("first", in: other)
        try fixture.reopen()
        #expect(try fixture.texts(try fixture.perform(.openCursor("bot", from: .now))) == ["after", "first"])
    }

    @Test("leaves out a pending conversation, and delivers all of it once it is accepted")
    func pending() throws {
        let id = try fixture.conversation()
        try fixture.makePending(id)
        try fixture.say("hello", in: id)
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        #expect(try fixture.next(reader) == nil)
        #expect(fixture.machine.pendingConversations == [id])
        try fixture.change(id) { $0.accept() }
        #expect(try fixture.texts(reader) == ["hello"])
    }

    @Test("is refused if a place is damaged, until it is deleted")
    func damagedPlace() throws {
        let id = try fixture.conversation()
        for text in ["one", "two"] { try fixture.say(text, in: id) }
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        try fixture.perform(.acknowledge(try #require(try fixture.next(reader)).place))
        fixture.store.damage(CursorBook.placeKey(1, id))
        try fixture.reopen()
        #expect(throws: KithError.cursor(.damaged("bot"))) {
            try fixture.perform(.openCursor("bot", from: .beginning))
        }
        // Another program goes on.
        #expect(try fixture.texts(try fixture.perform(.openCursor("other", from: .beginning))) == ["one", "two"])
        try fixture.perform(.deleteCursor("bot"))
        #expect(try fixture.next(try fixture.perform(.openCursor("bot", from: .now))) == nil)
    }

    @Test("with a damaged name prevents new cursors until it is deleted")
    func damagedName() throws {
        let id = try fixture.conversation()
        try fixture.say("one", in: id)
        _ = try fixture.perform(.openCursor("bot", from: .beginning))
        _ = try fixture.perform(.openCursor("other", from: .beginning))
        fixture.store.damage(CursorBook.nameKey(1))
        try fixture.reopen()
        #expect(throws: KithError.cursor(.damaged("bot"))) {
            try fixture.perform(.openCursor("bot", from: .beginning))
        }
        #expect(try fixture.texts(try fixture.perform(.openCursor("other", from: .beginning))) == ["one"])
        try fixture.perform(.deleteCursor("bot"))
        #expect(try fixture.texts(try fixture.perform(.openCursor("bot", from: .beginning))) == ["one"])
    }

    @Test("is deleted with its places")
    func deleted() throws {
        let id = try fixture.conversation()
        try fixture.say("one", in: id)
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        let one = try #require(try fixture.next(reader))
        try fixture.perform(.acknowledge(one.place))
        try fixture.perform(.deleteCursor("bot"))
        #expect(throws: KithError.notFound("bot")) { try fixture.perform(.acknowledge(one.place)) }
        #expect(throws: KithError.notFound("bot")) { try fixture.perform(.nextIncoming(reader)) }
        #expect(throws: KithError.notFound("bot")) { try fixture.perform(.deleteCursor("bot")) }
        try fixture.reopen()
        #expect(try fixture.store.allValues(.profile).allSatisfy { $0.owner == 0 })
        #expect(try fixture.texts(try fixture.perform(.openCursor("bot", from: .beginning))) == ["one"])
    }

    @Test("needs a name of one short line", arguments: ["", " bot", "two\nlines", String(repeating: "a", count: 65)])
    func names(_ name: String) throws {
        #expect(throws: KithError.cursor(.name(limit: ClientLimits.cursorName))) {
            try fixture.perform(.openCursor(name, from: .beginning))
        }
        #expect(try fixture.store.allValues(.profile).allSatisfy { $0.owner == 0 })
    }

    @Test("is refused beyond a limit")
    func tooMany() throws {
        for number in 0..<ClientLimits.cursors { _ = try fixture.perform(.openCursor("\(number)", from: .beginning)) }
        #expect(throws: KithError.cursor(.tooMany(limit: ClientLimits.cursors))) {
            try fixture.perform(.openCursor("one more", from: .beginning))
        }
        try fixture.perform(.deleteCursor("7"))
        _ = try fixture.perform(.openCursor("one more", from: .beginning))
    }

    @Test("keeps its places in a profile that was restored from a backup")
    func backup() throws {
        let id = try fixture.conversation()
        for text in ["one", "two"] { try fixture.say(text, in: id) }
        let reader = try fixture.perform(.openCursor("bot", from: .beginning))
        try fixture.perform(.acknowledge(try #require(try fixture.next(reader)).place))
        var contents = BackupContents()
        try fixture.machine.eachBackupRecord { (record) throws(KithError) in try contents.take(record) }
        let store = MemoryProfileStore()
        try store.commit(try contents.transaction(deviceName: "new", now: CursorFixture.now))
        let restored = try ProfileMachine(opening: store, now: CursorFixture.now)
        let found = try restored.withCursors { (cursors, profile) throws(KithError) in
            try cursors.open("bot", from: .beginning, in: &profile)
        }
        guard
            case .message(let entry) = try restored.withCursors({ (cursors, profile) throws(KithError) in
                try cursors.next(for: found, in: &profile)
            })
        else {
            Issue.record("nothing was found")
            return
        }
        #expect(entry.message.text == "two" && !entry.isRepeated)
    }
}
