import Testing

@testable import KithCore

@Suite("First lines of an invitation")
struct FirstLinesTests {
    @Test("texts are joined, and cut at a whole character")
    func cutting() {
        #expect(FirstLines(["hello", "it is me"]).text == "hello\nit is me")
        let long = String(repeating: "é", count: 600)
        #expect(FirstLines(["a" + long]).text == "a" + String(repeating: "é", count: 511))
        #expect(FirstLines([String(repeating: "👨‍👩‍👧", count: 100)]).text.utf8.count <= ClientLimits.firstLines)
        #expect(FirstLines([]).text.isEmpty)
    }

    @Test(
        "the padded form has one size and is read back", arguments: ["", "hello", String(repeating: "x", count: 5_000)])
    func padding(text: String) {
        let lines = FirstLines([text])
        #expect(lines.padded.count == ClientLimits.firstLines)
        #expect(FirstLines(padded: lines.padded) == lines)
    }

    @Test(
        "bytes that can't be a message count as no text",
        arguments: [[0xff, 0xfe], [0x20, 0x20], [0x61, 0, 0x62], [0, 0, 0x61]] as [[UInt8]])
    func invalid(bytes: [UInt8]) { #expect(FirstLines(padded: bytes) == .none) }

    @Test("a message of version 2 has no first lines, and a longer field is refused")
    func message() throws {
        let view = LogView(seq: 1, hash: [UInt8](repeating: 1, count: 32), previous: [UInt8](repeating: 2, count: 32))
        let point = try RelayPoint.sample()
        let message = InboxMessage(
            relay: point, title: "", isDirect: true, welcome: [1], tree: .inWelcome, view: view, timer: 60,
            firstLines: FirstLines(["hello"]))
        let again = try InboxMessage(decoding: message.encoded)
        #expect(again.firstLines.text == "hello" && again.timer == 60)
        let tail = 4 + 2 + ClientLimits.firstLines
        let old = try InboxMessage(decoding: [2] + message.encoded.dropFirst().dropLast(tail))
        #expect(old.firstLines == .none && old.timer == nil)
        let field = Array(message.encoded.dropLast(2 + ClientLimits.firstLines))
        let longer = field + [0x44, 0x01] + [UInt8](repeating: 0, count: ClientLimits.firstLines + 1)
        #expect(throws: (any Error).self) { try InboxMessage(decoding: longer) }
    }
}
