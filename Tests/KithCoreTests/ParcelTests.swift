import KithWire
import TLSCodec
import Testing

@testable import KithCore

@Suite("Parcels")
struct ParcelTests {
    private func address(length: Int) -> ParcelAddress {
        ParcelAddress(
            channel: .random(), readToken: .random(), key: [UInt8](repeating: 3, count: 32), length: UInt32(length))
    }

    @Test("the longest parcel is accepted, and a longer or empty one is refused")
    func lengths() throws {
        for length in [1, ClientLimits.parcel] {
            let address = address(length: length)
            #expect(try ParcelAddress(decoding: address.encoded) == address)
        }
        #expect(throws: TLSCodecError.tooLong(limit: ClientLimits.parcel)) {
            try ParcelAddress(decoding: address(length: ClientLimits.parcel + 1).encoded)
        }
        #expect(throws: TLSCodecError.unknownValue(field: "ParcelAddress.length", value: 0)) {
            try ParcelAddress(decoding: address(length: 0).encoded)
        }
    }

    @Test("a repeated entry still counts as a part, and other bytes of any length do not")
    func entries() throws {
        let bytes = [UInt8](repeating: 7, count: ParcelAddress.partLength + 1)
        let address = address(length: bytes.count)
        let parts = try #require(address.seal(bytes))
        var contents = ParcelContents(of: address)
        let first = EntryID.random()
        let taken = [contents.take(first, parts[0]), contents.take(first, parts[0])]
        #expect(taken == [true, true])
        #expect(contents.whole == nil)
        for length in [0, 1, 15, 16, 17, 100] {
            let isPart = contents.take(.random(), [UInt8](repeating: 0, count: length))
            #expect(!isPart)
        }
        let last = contents.take(.random(), parts[1])
        #expect(last && contents.whole == bytes)
    }
}
