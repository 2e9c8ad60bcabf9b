import KithWire
import TLSCodec
import Testing

@testable import KithCore

@Suite("The content of a message")
struct ContentTests {
    private static let target = MessageReference(seq: 5, id: .random())

    @Test(
        "every kind is decoded as it was encoded",
        arguments: [
            .text("hello"), .receipt(readThrough: 7), .title("friends"), .timer(60), .timer(nil),
            .text(
                MessageText(
                    "@a",
                    mentions: [
                        MessageText.Mention(
                            range: 0..<2, account: AccountKey([UInt8](repeating: 1, count: 32))!.fingerprint)
                    ])),
            .change(.reaction("👩🏽‍🚀"), of: target), .change(.reaction(nil), of: target),
            .change(.edit("new"), of: target), .change(.deletion, of: target), .change(.pin(true), of: target),
            .change(.pin(false), of: target), .unknown(kind: 999, [1, 2, 3]),
        ] as [Content.Body])
    func kinds(body: Content.Body) throws {
        #expect(try Content.Body(decoding: body.encoded) == body)
    }

    @Test("an edit to a blank text is refused, and so is a text with an empty list of mentions under its second kind")
    func strict() {
        #expect(throws: TLSCodecError.self) {
            try Content.Body(decoding: Content.Body.change(.edit(" "), of: Self.target).encoded)
        }
        var writer = TLSWriter(capacity: 16)
        writer.write(UInt16(11))
        writer.writeNested { $0.write(MessageText("hi")) }
        #expect(throws: TLSCodecError.self) { try Content.Body(decoding: writer.bytes) }
    }

    @Test(
        "a reaction is one grapheme cluster",
        arguments: [
            ("👍", true), ("👩🏽‍🚀", true), ("é", true), ("+", true), ("🇩🇪", true), ("1️⃣", true), ("❤️", true),
            ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", true), ("", false), (" ", false), ("👍👍", false), ("ok", false), ("\n", false), ("\u{7}", false),
            ("\u{202e}", false), ("\u{2066}", false), ("\u{301}", false), ("\u{3164}", false), ("\u{feff}", false),
            ("e" + String(repeating: "\u{301}", count: 9), false),
            ("a" + String(repeating: "\u{301}", count: 40), false),
        ])
    func reaction(text: String, isOne: Bool) {
        #expect(MessageChange.isReaction(text) == isOne)
    }

    @Test(
        "a received reaction may have a few clusters, but nothing invisible",
        arguments: [("👍👍", true), ("hello", false), ("\u{202e}a", false)])
    func receivedReaction(text: String, isAccepted: Bool) {
        let body = Content.Body.change(.reaction(text), of: Self.target)
        #expect(((try? Content.Body(decoding: body.encoded)) == body) == isAccepted)
    }
}
