import KithWire
import NIOPosix
import Synchronization
import Testing

@testable import KithClient
@testable import KithCore

@Suite("What nobody takes is bounded")
struct BoundsTests {
    private static func message(_ number: UInt64, _ text: String) throws -> KithEvent {
        .message(
            Message(
                id: .random(), conversation: ConversationID(rawValue: 1), seq: number, author: .me, body: .text(text),
                sentAtMs: 0, replyTo: nil, delivery: .onRelay, warnings: []))
    }

    @Test("one who does not listen has the oldest events dropped, and is told so before the rest")
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

    @Test(
        "a relay that closes every connection at once is asked less and less often; one that has kept one is asked soon"
    )
    func backoff() {
        var delay = Backoff()
        for _ in 0..<12 {
            _ = delay.nextMs()
            delay.didLast(.milliseconds(1))
        }
        #expect(delay.peekMs == 60_000)
        delay.didLast(ClientLimits.lastingConnection)
        #expect(delay.peekMs == 250)
    }

    @Test("one who listens misses nothing, and is told of nothing missed")
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

    @Test("what a relay sends waits at the relay until the profile has taken what is there")
    func mailbox() async throws {
        let mailbox = Mailbox(loop: MultiThreadedEventLoopGroup.singleton.next())
        let payload = [UInt8](repeating: 7, count: 64 << 10)
        let total = 1_000
        let event = FollowEvent.whisper(payload[...])
        let most = ClientLimits.mailbox / event.payloadBytes + 1
        let relay = Task {
            for number in 1...UInt64(total) {
                await mailbox.putWaiting(
                    .followed(RelayID(rawValue: 1), tag: number, event), bytes: event.payloadBytes)
            }
        }
        var tags: [UInt64] = []
        while tags.count < total {
            #expect(mailbox.count <= most)
            for case .followed(_, let tag, _) in mailbox.take() { tags.append(tag) }
            await Task.yield()
        }
        await relay.value
        #expect(tags == Array(1...UInt64(total)))
    }

    @Test("a relay that waits for a profile which is closed waits no more")
    func closed() async throws {
        let mailbox = Mailbox(loop: MultiThreadedEventLoopGroup.singleton.next())
        let relay = Task {
            for tag in 1...3 as ClosedRange<UInt64> {
                await mailbox.putWaiting(
                    .followed(RelayID(rawValue: 1), tag: tag, .whisper([])), bytes: ClientLimits.mailbox)
            }
        }
        mailbox.close()
        await relay.value
        #expect(mailbox.count == 0)
    }

    @Test("a profile that was closed still answers what is asked of it")
    func closedProfile() async throws {
        let alice = try await Person("alice")
        await alice.kith.close()
        #expect(await alice.kith.identity().name == "alice")
        for await event in await alice.kith.events() { Issue.record("\(event)") }
        await #expect(throws: KithError.closed) {
            try await alice.kith.rename(ContactID(rawValue: 1), to: "somebody")
        }
    }
}
