import Foundation
import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite struct CommandValuesTests {
    @Test(
        "durations have a number and a unit or are 0, and anything else is refused",
        arguments: [
            ("90", nil), ("5", nil), ("00", nil), ("90s", 90), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800),
            ("0", 0), ("", nil), ("d", nil),
            ("-1", nil), ("1.5h", nil), ("1w", nil), ("99999999999999999999", nil), ("18446744073709551615d", nil),
            ("٣d", nil),
        ] as [(String, UInt64?)])
    func lifetimes(text: String, seconds: UInt64?) { #expect(DurationArgument(argument: text)?.seconds == seconds) }

    @Test("a short text is one message")
    func shortText() {
        #expect(TextPieces.of("a\n\nb", limit: 100) == ["a\n\nb"])
        #expect(TextPieces.of("exactly ten", limit: 11) == ["exactly ten"])
    }

    @Test("a long text breaks at line ends into pieces within the limit, without loss")
    func longText() {
        let lines = (1...500).map { "line \($0) 世界 🙂" }
        let pieces = TextPieces.of(lines.joined(separator: "\n"), limit: 300)
        #expect(pieces.allSatisfy { $0.utf8.count <= 300 })
        #expect(pieces.joined(separator: "\n") == lines.joined(separator: "\n"))
    }

    @Test("a line longer than the limit is broken between characters")
    func longLine() {
        let line = String(repeating: "🙂", count: 1_000)
        let pieces = TextPieces.of("first\n\(line)\nlast", limit: 101)
        #expect(pieces.allSatisfy { $0.utf8.count <= 101 })
        #expect(pieces.joined().replacing("\n", with: "") == "first\(line)last")
        // One character with more combining marks than a message may have bytes.
        let marked = "a" + String(repeating: "\u{301}", count: 200)
        #expect(TextPieces.of(marked, limit: 100).joined().unicodeScalars.elementsEqual(marked.unicodeScalars))
    }

    @Test("addresses are ranked by reach, and unreachable ones are left out")
    func addresses() throws {
        func rank(_ address: String, _ interface: String = "eth0") -> Int? {
            OwnAddresses.rank(of: address, interface: interface)
        }
        for useless in ["127.0.0.1", "169.254.3.4", "0.0.0.0", "fe80::1", "not an address"] {
            #expect(rank(useless) == nil)
        }
        let order = ["203.0.113.9", "192.168.1.5", "10.0.0.4", "2001:db8::7", "fd00::1"]
        let ranks = try order.map { try #require(rank($0)) }
        #expect(ranks == ranks.sorted())
        #expect(try #require(rank("172.17.0.1", "docker0")) > (try #require(rank("fd00::1"))))
    }

    @Test("any time that a sender claims can be printed")
    func moments() {
        #expect(Timestamp(ms: 0).iso == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(ms: 1_795_523_320_637).iso == "2026-11-24T12:28:40.637Z")
        #expect(Timestamp(ms: .max).iso.hasPrefix("9999-12-31T23:59:59"))
        #expect(!Timestamp(ms: .max).local.isEmpty)
        #expect(Timestamp(seconds: .max).iso.hasPrefix("9999-12-31T23:59:59"))
    }

    @Test("ids have 32 hexadecimal digits")
    func ids() {
        let id = EntryID.random()
        #expect(EntryID(hex: id.hex) == id)
        for text in ["", "12", String(repeating: "g", count: 32), String(repeating: "a", count: 33)] {
            #expect(EntryID(hex: text) == nil)
        }
    }
}
