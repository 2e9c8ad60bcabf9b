import KithWire
import Testing

/// Values made from bytes or text have one length and one spelling.
@Suite("Values")
struct ValueTests {
    @Test("identifiers, tokens, grants and pins have a fixed length", arguments: [15, 16, 17, 31, 32, 33])
    func lengths(count: Int) {
        let bytes = [UInt8](repeating: 1, count: count)
        #expect((ChannelID(bytes) != nil) == (count == 32))
        #expect((EntryID(bytes) != nil) == (count == 16))
        #expect((Token(bytes) != nil) == (count == 32))
        #expect((Grant(bytes) != nil) == (count == 32))
        #expect((RelayPin(bytes) != nil) == (count == 32))
    }

    @Test("a pin is read from 64 hexadecimal ASCII digits and nothing else")
    func pins() {
        let digits = String(repeating: "a1", count: 32)
        #expect(RelayPin(digits) != nil && RelayPin("sha256:" + digits) != nil)
        #expect(RelayPin(digits + "a") == nil && RelayPin(String(digits.dropLast())) == nil)
        // A full-width digit has a value as well.
        #expect(RelayPin(digits.dropLast() + "\u{ff11}") == nil)
    }

    @Test("a pass is neither empty nor too long, and equals no other, not even a longer one with the same start")
    func passes() {
        #expect(RelayPass("") == nil && RelayPass("a") != nil)
        #expect(RelayPass(String(repeating: "a", count: WireLimits.relayPass)) != nil)
        #expect(RelayPass(String(repeating: "a", count: WireLimits.relayPass + 1)) == nil)
        #expect(RelayPass("ab") == RelayPass("ab") && RelayPass("ab") != RelayPass("ac"))
        #expect(RelayPass("ab") != RelayPass("a") && RelayPass("a") != RelayPass("ab"))
    }
}
