import TLSCodec
import Testing

@Suite("TLS presentation language")
struct TLSCodecTests {
    @Test(
        "a length is written in its shortest form and read back",
        arguments: [
            (0, [0x00]), (37, [0x25]), (63, [0x3f]), (64, [0x40, 0x40]), (15_293, [0x7b, 0xbd]),
            (16_383, [0x7f, 0xff]), (16_384, [0x80, 0x00, 0x40, 0x00]), (494_878_333, [0x9d, 0x7f, 0x3e, 0x7d]),
            (1_073_741_823, [0xbf, 0xff, 0xff, 0xff]),
        ] as [(Int, [UInt8])])
    func varint(length: Int, encoding: [UInt8]) throws {
        var writer = TLSWriter()
        writer.writeVarint(length)
        #expect(writer.bytes == encoding)
        var reader = TLSReader(encoding)
        #expect(try reader.readVarint() == length)
        #expect(reader.isAtEnd)
    }

    @Test("a length in a longer form than needed is refused")
    func nonMinimal() {
        for encoding: [UInt8] in [[0x40, 0x3f], [0x40, 0x00], [0x80, 0x00, 0x3f, 0xff], [0x80, 0, 0, 0]] {
            var reader = TLSReader(encoding)
            #expect(throws: TLSCodecError.nonMinimalLength) { try reader.readVarint() }
        }
    }

    @Test("the length prefix 11 is refused")
    func invalidPrefix() {
        for first: UInt8 in 0xc0...0xff {
            var reader = TLSReader([first, 0, 0, 0, 0, 0, 0, 0])
            #expect(throws: TLSCodecError.invalidLengthPrefix) { try reader.readVarint() }
        }
    }

    @Test("a length past the end of the input is refused before anything is allocated")
    func lengthPastEnd() {
        var reader = TLSReader([0xbf, 0xff, 0xff, 0xff, 1, 2, 3])
        #expect(throws: TLSCodecError.truncated) { try reader.readOpaque() }
        var vector = TLSReader([0xbf, 0xff, 0xff, 0xff, 1, 2, 3])
        #expect(throws: TLSCodecError.truncated) { try vector.readVector(of: UInt8.self) }
    }

    @Test("a vector over the reader's limit is refused")
    func overLimit() throws {
        var writer = TLSWriter()
        writer.writeOpaque([UInt8](repeating: 7, count: 65))
        var within = TLSReader(writer.bytes)
        #expect(try within.readOpaque(limit: 65).count == 65)
        var over = TLSReader(writer.bytes)
        #expect(throws: TLSCodecError.tooLong(limit: 64)) { try over.readOpaque(limit: 64) }
        var nested = TLSReader(writer.bytes)
        #expect(throws: TLSCodecError.tooLong(limit: 64)) { try nested.readNested(limit: 64) }
    }

    @Test("a vector with more values than the reader's maximum is refused")
    func overMaximumCount() throws {
        var within = TLSReader([3, 7, 8, 9])
        #expect(try within.readVector(of: UInt8.self, maximumCount: 3) == [7, 8, 9])
        var over = TLSReader([3, 7, 8, 9])
        #expect(throws: TLSCodecError.tooLong(limit: 2)) { try over.readVector(of: UInt8.self, maximumCount: 2) }
    }

    @Test("a length of four bytes that is cut off is refused, and so is a negative count")
    func cutLength() {
        for length in 1...3 {
            var reader = TLSReader(Array([0x80, 0x00, 0x40, 0x00][..<length]))
            #expect(throws: TLSCodecError.truncated) { try reader.readVarint() }
        }
        var reader = TLSReader([1, 2, 3])
        #expect(throws: TLSCodecError.truncated) { try reader.readBytes(-1) }
    }

    @Test("every truncation of a structure is refused")
    func truncations() {
        var writer = TLSWriter()
        writer.write(UInt16(0x1234))
        writer.writeOpaque(Array(0..<100))
        writer.writeVector([1, 2, 3] as [UInt32])
        writer.writeOptional(UInt64(9))
        let whole = writer.bytes
        func decode(_ bytes: [UInt8]) throws -> [UInt32] {
            var reader = TLSReader(bytes)
            _ = try reader.readUInt16()
            _ = try reader.readOpaque()
            let numbers: [UInt32] = try reader.readVector()
            _ = try reader.readOptional(UInt64.self)
            try reader.expectEnd()
            return numbers
        }
        for length in 0..<whole.count {
            #expect(throws: TLSCodecError.self, "cut at \(length)") { try decode(Array(whole[..<length])) }
        }
        #expect(throws: TLSCodecError.trailingBytes(1)) { try decode(whole + [0]) }
        #expect((try? decode(whole)) == [1, 2, 3])
    }

    @Test("an element that runs over the end of its vector is refused")
    func elementOverEnd() {
        // A vector of three bytes cannot hold whole uint16s, although more input follows.
        var reader = TLSReader([3, 0, 1, 2, 0, 0])
        #expect(throws: TLSCodecError.truncated) { try reader.readVector(of: UInt16.self) }
    }

    @Test("a presence octet is 0 or 1")
    func presence() throws {
        for octet: UInt8 in 2...255 {
            var reader = TLSReader([octet, 1])
            #expect(throws: TLSCodecError.invalidPresence(octet)) { try reader.readOptional(UInt8.self) }
        }
        var absent = TLSReader([0])
        #expect(try absent.readOptional(UInt8.self) == nil)
    }

    @Test(
        "nested vectors of every length class come back whole", arguments: [0, 1, 63, 64, 100, 16_383, 16_384, 70_000])
    func nested(count: Int) throws {
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var writer = TLSWriter()
        writer.writeNested { outer in
            outer.writeNested { $0.writeBytes(content) }
            outer.write(UInt8(0xaa))
        }
        var reader = TLSReader(writer.bytes)
        var outer = try reader.readNested()
        try reader.expectEnd()
        #expect(try Array(outer.readOpaque()) == content)
        #expect(try outer.readUInt8() == 0xaa)
        try outer.expectEnd()
    }

    @Test("a reader over a slice reads the slice only, and captures what it read")
    func slices() throws {
        let bytes: [UInt8] = [9, 9, 0, 1, 0, 2, 9]
        var reader = TLSReader(bytes[2..<6])
        let (value, encoded) = try reader.capturing { reader throws(TLSCodecError) in try reader.readUInt16() }
        #expect(value == 1)
        #expect(Array(encoded) == [0, 1])
        #expect(try reader.readUInt16() == 2)
        #expect(throws: TLSCodecError.truncated) { try reader.readUInt8() }
    }
}
