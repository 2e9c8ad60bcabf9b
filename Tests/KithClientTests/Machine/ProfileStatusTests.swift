import KithWire
import Testing

@testable import KithClient
@testable import KithCore

@Suite("The status of a profile's relays, invitations and contacts")
struct ProfileStatusTests {
    @Test("a relay that only a command has named is not listed")
    func unusedRelay() throws {
        let box = try Letterbox()
        let other = RelayPoint(
            address: box.point.address, pin: try #require(RelayPin([UInt8](repeating: 9, count: 32))))
        _ = try box.perform(.lookUp(try #require(Name("bob")), other, as: nil))
        #expect(box.alice.relayUse.map(\.relay) == [box.point, other], "while the command waits for it")
        try box.reopen()
        #expect(box.alice.relayUse.map(\.relay) == [box.point])
    }

    @Test("an invitation that is not in its recipient's inbox is counted")
    func waitingInvitation() throws {
        let (box, bobs) = (try Letterbox(), try Letterbox())
        #expect(box.alice.waitingInvitations == 0)
        let invite = try #require(bobs.alice.openInvites.first?.invite)
        _ = try box.perform(.join(invite, name: "bob"))
        #expect(box.alice.queuedCount == 0)
        #expect(box.alice.waitingInvitations == 1)
    }

    @Test("relays with different clocks are listed for later subscribers")
    func clocks() throws {
        let box = try Letterbox()
        #expect(box.alice.relayClockDifferences.isEmpty)
        _ = try box.handle([.disconnected(RelayID(rawValue: 1))])
        try box.connect(timeMs: Letterbox.now - 10 * 86_400_000)
        let difference = ClockDifference(witness: .relay(box.point.address), aheadMs: 10 * 86_400_000)
        #expect(box.alice.relayClockDifferences == [difference])
        _ = try box.handle([.disconnected(RelayID(rawValue: 1))])
        #expect(box.alice.relayClockDifferences.isEmpty)
    }

    @Test("a known contact that uses a single-use invite is trusted for it, as a new one is")
    func knownGuest() throws {
        let box = try Letterbox(isReusable: false)
        let carol = try Letterbox.person("carol")
        _ = box.alice.state.device.remember(carol.certificate, trust: .unverified)
        try box.bring([box.letter(from: carol, isDirect: true)])
        #expect(box.alice.contactList.map(\.trust) == [.usedMyInvite])
    }
}
