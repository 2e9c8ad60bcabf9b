import Foundation
import TestSupport
import Testing

@testable import kith

@Suite struct LineReaderTests {
    /// Returns the lines that a reader makes of these bytes, from a file, which delivers whole chunks.
    private func lines(of bytes: [UInt8]) async throws -> [String] {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("input")
            try Data(bytes).write(to: file)
            let handle = try FileHandle(forReadingFrom: file)
            defer { try? handle.close() }
            let reader = LineReader(descriptor: handle.fileDescriptor)
            var lines: [String] = []
            while let line = await reader.next() { lines.append(line) }
            return lines
        }
    }

    private func bytes(_ lines: [String]) -> [UInt8] { lines.flatMap { Array("\($0)\n".utf8) } }

    @Test("any line break separates lines, and a last line without one counts")
    func ends() async throws {
        #expect(try await lines(of: Array("a\n\nb\r\nc 宽".utf8)) == ["a", "", "b", "c 宽"])
        #expect(try await lines(of: []) == [])
        #expect(try await lines(of: Array("\n".utf8)) == [""])
    }

    @Test(
        "a line that is too long is cut, and its neighbours stay, wherever chunks end",
        arguments: [-16_385, -16_384, -16_383, -2, -1, 0, 1, 2, 100, 16_383, 16_384, 16_385, 40_000])
    func overlong(by excess: Int) async throws {
        let long = String(repeating: "x", count: LineReader.longest + excess)
        let expected = String(long.prefix(LineReader.longest))
        let behind = (1...5).map { "line \($0)" }
        for before in [[], [""], ["first"], [String(repeating: "y", count: 16_383)]] {
            let read = try await lines(of: bytes(before + [long] + behind) + Array("last".utf8))
            #expect(read == before + [expected] + behind + ["last"])
        }
        #expect(try await lines(of: bytes([long, long, "end"])) == [expected, expected, "end"])
        #expect(try await lines(of: Array(long.utf8)) == [expected])
    }

    @Test("lines from a pipe may arrive byte by byte")
    func pieces() async throws {
        let pipe = Pipe.closedToOthers()
        let reader = LineReader(descriptor: pipe.fileHandleForReading.fileDescriptor)
        async let first = reader.next()
        for byte in Array("one\ntw".utf8) { try pipe.fileHandleForWriting.write(contentsOf: [byte]) }
        #expect(await first == "one")
        try pipe.fileHandleForWriting.write(contentsOf: Array("o\n".utf8))
        #expect(await reader.next() == "two")
        try pipe.fileHandleForWriting.close()
        #expect(await reader.next() == nil)
    }
}
