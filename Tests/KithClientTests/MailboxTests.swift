import KithWire
import NIOPosix
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A profile's mailbox")
struct MailboxTests {
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
}
