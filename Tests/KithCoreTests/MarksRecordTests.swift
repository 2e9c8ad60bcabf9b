import TLSCodec
import Testing

@testable import KithCore

@Suite("The marks on a message")
struct MarksRecordTests {
    private func account(_ number: Int) throws -> AccountKey {
        try #require(AccountKey([UInt8](repeating: 0, count: 24) + UInt64(number).encoded))
    }

    @Test("an account has one reaction, which it can replace and take back")
    func reactions() throws {
        var marks = MarksRecord()
        let (ann, bob) = (try account(1), try account(2))
        var changed = [marks.react("👍", by: ann), marks.react("👍", by: bob), marks.react("🎉", by: ann)]
        #expect(changed == [true, true, true])
        let isChanged = marks.react("🎉", by: ann)
        #expect(!isChanged)
        #expect(marks.reactions.map(\.text) == ["🎉", "👍"])
        #expect(try MarksRecord(stored: marks.encoded) == marks)
        changed = [marks.react(nil, by: ann), marks.react(nil, by: ann), marks.react(nil, by: bob)]
        #expect(changed == [true, false, true] && marks.isEmpty)
    }

    @Test("reactions of more members than the limit are ignored, but known ones can change")
    func limit() throws {
        var marks = MarksRecord()
        for number in 0..<ClientLimits.reactions { _ = marks.react("👍", by: try account(number)) }
        #expect(marks.reactions.count == ClientLimits.reactions)
        _ = marks.react("👍", by: try account(ClientLimits.reactions))
        _ = marks.react("👎", by: try account(0))
        #expect(marks.reactions.count == ClientLimits.reactions && marks.reactions.first?.text == "👎")
    }

    @Test("earlier texts are kept up to the limit, the latest ones first")
    func edits() throws {
        var marks = MarksRecord()
        let long = MessageText(String(repeating: "a", count: ClientLimits.earlierTexts - 100))
        marks.replace(MessageText(String(repeating: "f", count: 200)), at: 3)
        marks.replace(long, at: 4)
        #expect(marks.earlierTexts.map(\.text) == [long])
        marks.replace("b", at: 5)
        #expect(marks.earlierTexts.map(\.replacedAt) == [4, 5] && marks.editCount == 3)
        #expect(try MarksRecord(stored: marks.encoded) == marks)
    }
}
