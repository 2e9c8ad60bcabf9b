import KithWire
import Testing

@testable import KithCore

@Suite("Items of an outbox that a block drops")
struct BlockPolicyTests {
    private static let attempt = OutboxItem.Attempt(epoch: 1, payload: [1], expiresAfter: nil)

    private func item(_ body: OutboxItem.Body, isSent: Bool = false) -> OutboxItem {
        var item = OutboxItem(entryID: .random(), sentAt: 0, body: body)
        if isSent { item.attempt = Self.attempt }
        return item
    }

    private func drops(
        _ item: OutboxItem, isBlocked: Bool = true, isLive: Bool = true, isUnderWay: Bool = false
    ) -> Bool {
        BlockPolicy(isBlocked: isBlocked, isLive: isLive).drops(item, isUnderWay: isUnderWay) { _ in false }
    }

    @Test("in a conversation of two, everything but contact cards and the own departure")
    func conversationOfTwo() throws {
        let inbox = InboxAddress(
            relay: try .sample(), channel: .random(), appendToken: .random(), sealKey: InboxSealKey(random: .system),
            account: try #require(AccountKey([UInt8](repeating: 1, count: 32))).fingerprint)
        let target = MessageReference(seq: 1, id: .random())
        for body in [.text("hello"), .receipt(readThrough: 1), .timer(60), .change(.deletion, of: target)]
            as [Content.Body]
        {
            #expect(drops(item(.content(body))) && !drops(item(.content(body)), isBlocked: false))
        }
        #expect(!drops(item(.content(.contactCard(inbox)))) && !drops(item(.leaveProposal)))
        let key = try #require(AccountKey([UInt8](repeating: 2, count: 32)))
        let request = item(.privateRequest(PrivateRequest(inbox: inbox, text: "hi"), to: key))
        let policy = BlockPolicy(isBlocked: false, isLive: true)
        #expect(policy.drops(request, isUnderWay: false) { $0 == key })
        #expect(!policy.drops(request, isUnderWay: false) { $0 != key })
    }

    @Test("an item that the relay may have is dropped only when the log has been read without it")
    func sentItems() {
        let text = item(.content(.text("hello")), isSent: true)
        for (isLive, isUnderWay, isDropped) in [
            (false, false, false), (false, true, false), (true, true, false), (true, false, true),
        ] {
            #expect(drops(text, isLive: isLive, isUnderWay: isUnderWay) == isDropped)
        }
        #expect(drops(item(.content(.text("hello"))), isLive: false))
    }
}
