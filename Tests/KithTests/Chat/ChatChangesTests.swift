import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite("Changes of messages in a chat")
struct ChatChangesTests {
    private let things: ChatModelTests

    init() throws { things = try ChatModelTests() }

    /// A chat with a message of bob's (3), one of the user's (4) and another one of bob's (6).
    private func model() throws -> ChatModel {
        var model = try things.model(
            history: [
                try things.message(1, "hello", from: things.fromBob(), seq: 3),
                try things.message(2, "my words", seq: 4, delivery: .onRelay),
                try things.message(3, "bye", from: things.fromBob(), seq: 6),
            ])
        _ = model.open(now: things.now)
        return model
    }

    private func requests(_ line: String) throws -> [ChatRequest] {
        var model = try model()
        return things.requests(model.handle(.line(line), now: things.now))
    }

    @Test(
        "a command without a number is for the last message that fits, and numbers count in the log or from the end",
        arguments: [
            ("/react 👍", ChatRequest.change(6, .reaction("👍"))), ("/react 3 👍", .change(3, .reaction("👍"))),
            ("/react -2 👍", .change(4, .reaction("👍"))), ("/unreact", .change(6, .reaction(nil))),
            ("/edit new words", .change(4, .edit("new words"))), ("/edit 4 new words", .change(4, .edit("new words"))),
            ("/pin", .change(6, .pin(true))), ("/unpin 3", .change(3, .pin(false))), ("/pins", .pinned),
            ("/timer 1d", .setTimer(86_400)), ("/timer off", .setTimer(nil)), ("/explain -3", .explain(3)),
        ])
    func commands(line: String, request: ChatRequest) throws {
        #expect(try requests(line) == [request])
    }

    @Test(
        "nothing is asked of the profile for numbers that don't exist", arguments: ["/react -4 👍", "/edit", "/react"])
    func mistakes(line: String) throws {
        #expect(try requests(line).isEmpty)
    }

    @Test("a deletion asks first")
    func deletion() throws {
        var model = try model()
        #expect(things.requests(model.handle(.line("/delete"), now: things.now)).isEmpty)
        #expect(things.requests(model.handle(.line("yes"), now: things.now)) == [.change(4, .deletion)])
    }

    @Test("a text that is deleted or expires leaves the screen, and the last messages are shown again")
    func disappears() throws {
        var model = try model()
        var deleted = try things.message(1, "hello", from: things.fromBob(), seq: 3)
        deleted = Message(
            id: deleted.id, conversation: deleted.conversation, seq: 3, author: deleted.author, body: .deleted,
            sentAtMs: things.now, replyTo: nil, delivery: nil, warnings: [])
        for update in [MessageUpdate.deleted, .expired] {
            let outputs = model.handle(.event(.messageChanged(deleted, update)), now: things.now)
            #expect(outputs.first == .clear)
            #expect(things.requests(outputs) == [.lastPage(limit: ChatModel.page)])
        }
        let shown = model.handle(.answered(.lastPage(limit: 50), .success(.messages([deleted]))), now: things.now)
        #expect(things.shown(shown).contains { $0.contains("bob deleted this message") })
    }

    @Test("after changes that were missed, the last messages are shown again")
    func missedChanges() throws {
        var model = try model()
        let outputs = model.handle(.event(.messagesChanged(things.team)), now: things.now)
        #expect(outputs.first == .clear && things.requests(outputs) == [.lastPage(limit: ChatModel.page)])
        #expect(model.handle(.event(.messagesChanged(ConversationID(rawValue: 99))), now: things.now).isEmpty)
    }

    @Test("an old message that changes or is pinned leaves the place where /history continues and -N counts")
    func placeInHistory() throws {
        var model = try model()
        let old = try things.message(9, "long ago", from: things.fromBob(), seq: 1)
        _ = model.handle(.event(.messageChanged(old, .reaction("👍", by: .me))), now: things.now)
        _ = model.handle(.answered(.pinned, .success(.messages([old]))), now: things.now)
        let history = things.requests(model.handle(.line("/history"), now: things.now))
        #expect(history == [.history(before: 3, limit: ChatModel.page)])
        #expect(things.requests(model.handle(.line("/react -4 👍"), now: things.now)).isEmpty)
        // A command may name the message, because its number was shown.
        let reply = things.requests(model.handle(.line("/reply 1 yes"), now: things.now))
        #expect(reply == [.send("yes", replyTo: try things.id(9), expiresAfter: nil)])
    }

    @Test("after the screen was cleared, /history continues before the messages that are shown again")
    func historyAfterClearing() throws {
        var model = try model()
        let last = [
            try things.message(2, "my words", seq: 4, delivery: .onRelay),
            try things.message(3, "bye", from: things.fromBob(), seq: 6, .init(replyTo: 2)),
        ]
        let again = model.handle(.answered(.lastPage(limit: 2), .success(.messages(last))), now: things.now)
        #expect(
            things.shown(again) == [
                "── Tuesday, 24 November 2026 ──", "4  10:53  alice : my words ✓", "  ↳ to “my words”",
                "6  10:53  bob (verified) : bye",
            ])
        let history = things.requests(model.handle(.line("/history"), now: things.now))
        #expect(history == [.history(before: 4, limit: ChatModel.page)])
    }

    @Test("a reaction is one line, and an edited text is shown again with a mark")
    func updates() throws {
        var model = try model()
        var message = try things.message(1, "hello again", from: things.fromBob(), seq: 3)
        message.isEdited = true
        message.reactions = [
            Message.Reaction(text: "👍", author: .me), Message.Reaction(text: "👍", author: things.fromBob()),
        ]
        let reaction = model.handle(.event(.messageChanged(message, .reaction("👍", by: .me))), now: things.now)
        #expect(things.shown(reaction).contains { $0.contains("you reacted to message 3 with 👍") })
        let edited = things.shown(model.handle(.event(.messageChanged(message, .edited)), now: things.now))
        #expect(edited.contains { $0.contains("hello again") && $0.contains("(edited)") })
        #expect(edited.contains { $0.contains("👍 you, bob") })
    }
}
