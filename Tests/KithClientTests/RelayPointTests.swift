import KithWire
import TLSCodec
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A relay's address on the wire")
struct RelayPointTests {
    private func encoded(_ address: String) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeText(address)
        writer.writeBytes([UInt8](repeating: 1, count: 32))
        writer.write(UInt8(0))
        return writer.bytes
    }

    @Test("has one form", arguments: ["relay.example.org:4433", "[2001:db8::7]:1"])
    func canonical(address: String) throws {
        #expect(try RelayPoint(decoding: encoded(address)).encoded == encoded(address))
    }

    @Test(
        "is refused in any other form, which would be encoded differently",
        arguments: ["Relay.example.org:4433", "relay.example.org:04433", "[2001:DB8::7]:1"])
    func otherForms(address: String) {
        #expect(RelayAddress(address) != nil)
        #expect(throws: TLSCodecError.unknownValue(field: "RelayPoint.address", value: 0)) {
            try RelayPoint(decoding: encoded(address))
        }
    }
}
