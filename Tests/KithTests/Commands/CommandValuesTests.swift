import Foundation
import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite struct CommandValuesTests {
    @Test(
        "times are read as people write them, and anything else is refused",
        arguments: [
            ("90", 90), ("90s", 90), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800), ("0", 0), ("", nil), ("d", nil),
            ("-1", nil), ("1.5h", nil), ("1w", nil), ("99999999999999999999", nil), ("18446744073709551615d", nil),
            ("٣d", nil),
        ] as [(String, UInt64?)])
    func lifetimes(text: String, seconds: UInt64?) { #expect(DurationArgument(argument: text)?.seconds == seconds) }

    @Test("a short text is one message, whatever is in it")
    func shortText() {
        #expect(TextPieces.of("a\n\nb", limit: 100) == ["a\n\nb"])
        #expect(TextPieces.of("exactly ten", limit: 11) == ["exactly ten"])
    }

    @Test("a long text becomes pieces within the limit, broken at line ends, and nothing of it is lost")
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
        // One character with more marks on it than a message may have bytes.
        let marked = "a" + String(repeating: "\u{301}", count: 200)
        #expect(TextPieces.of(marked, limit: 100).joined().unicodeScalars.elementsEqual(marked.unicodeScalars))
    }

    @Test("addresses that others can reach come before those that only some can, and useless ones not at all")
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

    @Test("what a sender claims for a time is printed, however absurd")
    func moments() {
        #expect(Timestamp(ms: 0).iso == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(ms: 1_795_523_320_637).iso == "2026-11-24T12:28:40.637Z")
        #expect(Timestamp(ms: .max).iso.hasPrefix("9999-12-31T23:59:59"))
        #expect(!Timestamp(ms: .max).local.isEmpty)
        #expect(Timestamp(seconds: .max).iso.hasPrefix("9999-12-31T23:59:59"))
    }

    @Test("ids are written and read as 32 digits")
    func ids() {
        let id = EntryID.random()
        #expect(EntryID(hex: id.hex) == id)
        for text in ["", "12", String(repeating: "g", count: 32), String(repeating: "a", count: 33)] {
            #expect(EntryID(hex: text) == nil)
        }
    }

    @Test("nobody's name passes for the user's own, or for the program's")
    func ownNames() {
        func lines(_ name: String, _ body: Message.Body = .text("hi")) -> [String] {
            let message = Message(
                id: .random(), conversation: ConversationID(rawValue: 1), seq: 3,
                author: .contact(ContactID(rawValue: 1), name: name, .compared), body: body,
                sentAtMs: 0, replyTo: nil, delivery: nil, warnings: [])
            return MessageRenderer(me: "ann", layout: .record(conversation: name)).lines(message)
                .map { $0.painted(colours: false) }
        }
        #expect(lines("Bob")[0].hasSuffix("  3  Bob › Bob: hi"))
        #expect(lines("you")[0].hasSuffix("  3  “you” › “you”: hi"))
        #expect(lines("Kith")[0].hasSuffix("  3  “Kith” › “Kith”: hi"))
        #expect(lines("Bob: hi, you")[0].hasSuffix("  3  “Bob: hi, you” › “Bob: hi, you”: hi"))
        #expect(lines("Bob", .notice(.left("you")))[0].hasSuffix("[“you” left]"))
    }

    @Test("nothing that others wrote moves the cursor")
    func safeMessages() {
        let name = "mal\u{1B}[2Jlory"
        let message = Message(
            id: .random(), conversation: ConversationID(rawValue: 1), seq: 3,
            author: .contact(ContactID(rawValue: 1), name: name, .unverified),
            body: .text("a\u{1B}[31m\r\nb\u{202E}c\u{7}"),
            sentAtMs: .max, replyTo: nil, delivery: nil, warnings: [.missingBefore(2)])
        let lines = MessageRenderer(me: "ann", layout: .record(conversation: "ro\u{9B}om")).lines(message)
            .map { $0.painted(colours: false) }
        #expect(lines.count == 3)
        for line in lines {
            #expect(!line.unicodeScalars.contains { $0.properties.generalCategory == .control })
            #expect(!line.unicodeScalars.contains("\u{202E}"))
        }
        #expect(lines[0].contains("(unverified)"))
        #expect(lines[2].contains("2 messages"))
    }
}
