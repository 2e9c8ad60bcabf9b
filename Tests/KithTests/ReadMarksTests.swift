import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite struct ReadMarksTests {
    private func message(seq: UInt64, readers: [UInt64]) -> Message {
        Message(
            id: .random(), conversation: ConversationID(rawValue: 1), seq: seq, author: .me, body: .text("hi"),
            sentAtMs: 0, replyTo: nil, delivery: .onRelay, warnings: [],
            readers: readers.map { ContactID(rawValue: $0) })
    }

    @Test("a member who has read a message has read all earlier ones, and counts once")
    func counts() {
        var marks = ReadMarks(memberCount: 4)
        marks.take(message(seq: 5, readers: [1, 2]))
        marks.take(message(seq: 9, readers: [2]))
        marks.take(message(seq: 7, readers: [2, 3]))
        // An older state of a message takes nothing back.
        marks.take(message(seq: 9, readers: []))
        #expect(
            [4, 5, 6, 7, 8, 9, 10].map { marks.mark(of: $0).text } == [
                "✓✓ 3", "✓✓ 3", "✓✓ 2", "✓✓ 2", "✓✓ 1", "✓✓ 1", "✓",
            ])
    }

    @Test("a member who was added later has not read earlier messages")
    func newcomer() {
        var marks = ReadMarks(memberCount: 3)
        var message = message(seq: 9, readers: [1, 2])
        message.readersJoinedAt = [ContactID(rawValue: 2): 6]
        marks.take(message)
        #expect([5, 6, 7, 9].map { marks.mark(of: $0).text } == ["✓✓ 1", "✓✓ 1", "✓✓ 2", "✓✓ 2"])
    }

    @Test("in a conversation of two, the mark has no count")
    func two() {
        var marks = ReadMarks(memberCount: 2)
        marks.take(message(seq: 5, readers: [1]))
        #expect([5, 6].map { marks.mark(of: $0).text } == ["✓✓", "✓"])
    }
}
