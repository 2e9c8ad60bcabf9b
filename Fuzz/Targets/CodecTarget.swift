import TLSCodec

/// A program of reads over the input. The values read are written again and must give the bytes that they were read from.
/// So nothing is read twice, left out, or accepted in another form than its one encoding.
func fuzzCodec(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let program = input.bytes(Int(input.byte() & 15))
    let content = Array(input.rest)
    var reader = TLSReader(content)
    var writer = TLSWriter()
    do throws(TLSCodecError) {
        for operation in program {
            let before = reader.remaining
            try step(operation, &reader, &writer)
            expect(reader.remaining <= before, "a read went backwards")
            expect(
                content.dropLast(reader.remaining).elementsEqual(writer.bytes),
                "operation \(operation) is not canonical")
        }
        if reader.isAtEnd { try reader.expectEnd() }
    } catch {
        expect(reader.remaining >= 0 && reader.remaining <= content.count, "a failed read went past the end")
        expect(!"\(error)".isEmpty, "an error without a sentence")
    }
}

private func step(_ operation: UInt8, _ reader: inout TLSReader, _ writer: inout TLSWriter) throws(TLSCodecError) {
    let argument = Int(operation >> 4)
    switch operation & 15 {
    case 0: writer.write(try reader.readUInt8())
    case 1: writer.write(try reader.readUInt16())
    case 2: writer.write(try reader.readUInt32())
    case 3: writer.write(try reader.readUInt64())
    case 4: writer.writeVarint(try reader.readVarint())
    case 5: writer.writeBytes(try reader.readBytes(argument))
    case 6: writer.writeOpaque(try reader.readOpaque())
    case 7:
        let limit = argument * 20
        let content = try reader.readOpaque(limit: limit)
        expect(content.count <= limit, "a vector over its limit")
        writer.writeOpaque(content)
    case 8:
        var nested = try reader.readNested()
        var values: [UInt16] = []
        while !nested.isAtEnd { values.append(try nested.readUInt16()) }
        writer.writeNested { writer in
            for value in values { writer.write(value) }
        }
    case 9: writer.writeVector(try reader.readVector(of: UInt32.self))
    case 10: writer.writeOptional(try reader.readOptional(UInt64.self))
    case 11: writer.write(try reader.readPresence() ? 1 as UInt8 : 0)
    case 12:
        let (value, encoded) = try reader.capturing { (reader) throws(TLSCodecError) in try reader.readOpaque() }
        var again = TLSWriter()
        again.writeOpaque(value)
        expect(again.bytes.elementsEqual(encoded), "what was captured is not what was read")
        writer.writeBytes(encoded)
    case 13: writer.writeVector(try reader.readVector(of: Pair.self, limit: 4 * argument))
    case 14: writer.write(try reader.readInteger(UInt32.self))
    default: try reader.expectEnd()
    }
}

private struct Pair: TLSCodable {
    let one: UInt8
    let many: ArraySlice<UInt8>

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        one = try reader.readUInt8()
        many = try reader.readOpaque()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(one)
        writer.writeOpaque(many)
    }
}
