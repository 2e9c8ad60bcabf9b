import KithWire
import Testing

@testable import KithClient
@testable import KithCore

@Suite("The buffer of unread events")
struct EventBufferTests {
    private static func message(_ number: UInt64, _ text: String) throws -> KithEvent {
        .message(
            Message(
                id: .random(), conversation: ConversationID(rawValue: 1), seq: number, author: .me, body: .text(text),
                sentAtMs: 0, replyTo: nil, delivery: .onRelay, warnings: []))
    }

    @Test("a subscriber that does not read loses the oldest events, and gets missed before the others")
    func events() async throws {
        let buffer = EventBuffer()
        let most = ClientLimits.unreadEvents / (ClientLimits.eventBytes + 60_000)
        let text = String(repeating: "x", count: 60_000)
        for number in 1...UInt64(most + 10) {
            buffer.put(try Self.message(number, text))
            #expect(buffer.count <= most)
        }
        buffer.finish()
        #expect(await buffer.next() == .missed)
        var seqs: [UInt64] = []
        while let event = await buffer.next() {
            guard case .message(let message) = event else { continue }
            seqs.append(message.seq ?? 0)
        }
        #expect(seqs == Array(11...UInt64(most + 10)))
    }

    @Test("a subscriber that reads gets all events, and no missed")
    func listener() async throws {
        let buffer = EventBuffer()
        for number in 1...UInt64(3_000) {
            buffer.put(.inviteUsed(InboxID(rawValue: number), ConversationID(rawValue: 1)))
        }
        for number in 1...UInt64(3_000) {
            #expect(await buffer.next() == .inviteUsed(InboxID(rawValue: number), ConversationID(rawValue: 1)))
        }
        buffer.finish()
        #expect(await buffer.next() == nil)
    }
}
