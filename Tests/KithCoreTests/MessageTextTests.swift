import TLSCodec
import Testing

@testable import KithCore

@Suite("The text of a message with its mentions")
struct MessageTextTests {
    private static let ann = account(1)
    private static let anna = account(2)

    private static func account(_ byte: UInt8) -> AccountFingerprint {
        guard let key = AccountKey([UInt8](repeating: byte, count: 32)) else {
            preconditionFailure("32 bytes are a key")
        }
        return key.fingerprint
    }

    private func mentions(_ text: String) -> [String] {
        let found = MessageText(text, mentioning: [("ann", Self.ann), ("anna", Self.anna), ("ann b", Self.account(3))])
        let bytes = Array(text.utf8)
        return found.mentions.map { String(decoding: bytes[$0.range], as: UTF8.self) }
    }

    @Test(
        "names count after an @ that begins a word, and the longest name that ends with the word",
        arguments: [
            ("@ann", ["@ann"]), ("hi @anna!", ["@anna"]), ("@ann b and @ann", ["@ann b", "@ann"]),
            ("mail ann@anna.org", []), ("@annabel", []), ("ß @ann, @nobody", ["@ann"]), ("@", []), ("👍@ann", ["@ann"]),
        ])
    func found(text: String, mentions: [String]) {
        #expect(self.mentions(text) == mentions)
    }

    @Test("at most 64 mentions are found")
    func many() {
        #expect(mentions(String(repeating: "@ann ", count: 70)).count == ClientLimits.mentions)
    }

    @Test("each reader sees the own name for a mentioned person, or the author's if the person is unknown")
    func shown() {
        let text = MessageText("ask @ann and @anna.", mentioning: [("ann", Self.ann), ("anna", Self.anna)])
        #expect(text.replacingMentions { $0 == Self.anna ? "Änne" : nil } == "ask @ann and @Änne.")
    }

    @Test("a mention beyond the text, across a character or out of order is refused")
    func strict() throws {
        func encoded(_ text: String, _ ranges: [Range<Int>]) -> [UInt8] {
            MessageText(text, mentions: ranges.map { MessageText.Mention(range: $0, account: Self.ann) }).encoded
        }
        let good = encoded("@ä @b", [0..<3, 4..<6])
        #expect(try MessageText(decoding: good).encoded == good)
        for bad in [[0..<2], [0..<7], [4..<6, 0..<3], [0..<3, 2..<4], [1..<1], [1..<3]] {
            #expect(throws: TLSCodecError.self) { try MessageText(decoding: encoded("@ä @b", bad)) }
        }
        #expect(throws: TLSCodecError.self) {
            try MessageText(decoding: encoded(String(repeating: "@", count: 65), (0..<65).map { $0..<$0 + 1 }))
        }
    }
}
