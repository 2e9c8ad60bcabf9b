import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

extension ChatModelTests {
    private func typing(_ names: [String], in conversation: ConversationID? = nil) -> ChatModel.Input {
        let members = names.enumerated().map { index, name in
            TypingMember(contact: ContactID(rawValue: UInt64(index) + 1), name: name)
        }
        return .event(.typing(conversation ?? team, members))
    }

    @Test("members who are typing are named in words of several lengths, and a line is never printed")
    func typingWords() throws {
        var model = try model(summary(members: 4))
        _ = model.open(now: now)
        #expect(model.handle(typing(["bob"]), now: now) == [.typing(["[bob is typing]", "[typing]"])])
        #expect(
            model.handle(typing(["bob", "carol"]), now: now)
                == [.typing(["[bob and carol are typing]", "[typing]"])])
        #expect(
            model.handle(typing(["bob", "carol", "dave"]), now: now)
                == [.typing(["[3 people are typing]", "[typing]"])])
        #expect(model.handle(typing([]), now: now) == [.typing([])])
    }

    @Test("typing in another conversation, and for a program, is not shown")
    func typingElsewhere() throws {
        var model = try model()
        _ = model.open(now: now)
        #expect(model.handle(typing(["bob"], in: ConversationID(rawValue: 99)), now: now).isEmpty)
        var program = try self.model(isForPerson: false)
        _ = program.open(now: now)
        #expect(program.handle(typing(["bob"]), now: now).isEmpty)
        #expect(JSONEvent(.typing(team, []), naming: { _ in "" }) == nil)
    }

    @Test(
        "a text is told to the members while it is typed, and a command is not",
        arguments: [
            ("h", true), ("hello", true), ("//", true), ("/", false), ("/verify", false), (" /", true),
        ])
    func typedText(_ line: String, isText: Bool) {
        #expect(SlashCommand.isText(Array(line)[...]) == isText)
    }
}
