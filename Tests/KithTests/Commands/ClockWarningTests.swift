import Foundation
import KithClient
import KithWire
import Testing

@testable import kith

@Suite("Clock warnings")
struct ClockWarningTests {
    private let relay: RelayAddress
    private let behind: ClockDifference

    init() throws {
        relay = try #require(RelayAddress("127.0.0.1:7443"))
        behind = ClockDifference(witness: .relay(relay), aheadMs: -30 * 86_400_000)
    }

    @Test("kith listen reports a wrong clock in words and as JSON")
    func listen() throws {
        let event = KithEvent.clock(behind)
        #expect(event.sentence { _ in "" } == behind.sentence)
        let json = JSONLine.text(JSONEvent(event) { _ in "" })
        let fields = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(fields["event"] as? String == "clock")
        #expect(fields["relay"] as? String == "127.0.0.1:7443")
        #expect(fields["aheadMs"] as? Int64 == -2_592_000_000)
        #expect(fields["warning"] as? String == behind.sentence.description)
        let bob = ClockDifference(witness: .contact(ContactID(rawValue: 1), name: "bob"), aheadMs: -7_200_000)
        #expect(
            KithEvent.clock(bob).sentence { _ in "" }
                == "this device's clock is 2 hours behind bob's; check this device's date and time")
    }

    @Test("an error about a clock names the obstacle and tells whether a retry follows")
    func failures() {
        let invite = KithError.wrongClock(behind)
        #expect(
            invite.sentence
                == "this device's clock is 30 days behind that of the relay 127.0.0.1:7443; set the one that is wrong, then try again"
        )
        #expect(invite.exitCode == .failure)
        for doubt in [behind, nil] {
            let adding = KithError.keyPackageNotCurrent("bob", clockDoubt: doubt)
            #expect(adding.sentence.hasPrefix("bob can't be added yet: "))
            #expect(adding.exitCode == .notInTime)
        }
    }
}
