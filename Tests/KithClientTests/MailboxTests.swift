import KithWire
import NIOPosix
import Synchronization
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A profile's mailbox")
struct MailboxTests {
    private let mailbox = Mailbox(loop: MultiThreadedEventLoopGroup.singleton.next())

    private func put(_ tag: UInt64, bytes: Int) {
        mailbox.put(.followed(RelayID(rawValue: 1), tag: tag, .whisper([])), bytes: bytes)
    }

    @Test("connections read until the limit is reached, and again once the profile has taken the inputs")
    func backPressure() {
        let resumed = Atomic<Int>(0)
        func hasRoom() -> Bool { mailbox.unread.hasRoom { resumed.add(1, ordering: .relaxed) } }
        #expect(hasRoom())
        put(1, bytes: ClientLimits.unreadBytes - 1)
        #expect(hasRoom())
        // Answers and commands do not count.
        mailbox.put(.tick)
        #expect(hasRoom())
        put(2, bytes: 1)
        // Two connections.
        #expect(!hasRoom() && !hasRoom())
        #expect(resumed.load(ordering: .relaxed) == 0)
        let tags = mailbox.take().compactMap { if case .followed(_, let tag, _) = $0 { tag } else { nil } }
        #expect(tags == [1, 2])
        #expect(resumed.load(ordering: .relaxed) == 2)
        #expect(hasRoom() && mailbox.unread.count == 0)
    }

    @Test("a closed mailbox takes nothing, and holds up no connection")
    func closed() {
        let resumed = Atomic<Int>(0)
        put(1, bytes: ClientLimits.unreadBytes)
        #expect(!mailbox.unread.hasRoom { resumed.add(1, ordering: .relaxed) })
        mailbox.close()
        #expect(resumed.load(ordering: .relaxed) == 1)
        put(2, bytes: ClientLimits.unreadBytes)
        #expect(mailbox.count == 0 && mailbox.unread.count == 0)
    }
}
