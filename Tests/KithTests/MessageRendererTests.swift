import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite struct MessageRendererTests {
    @Test("a contact's name can't pass for the user's or the program's")
    func ownNames() {
        func lines(_ name: String, _ body: Message.Body = .text("hi")) -> [String] {
            let message = Message(
                id: .random(), conversation: ConversationID(rawValue: 1), seq: 3,
                author: .contact(ContactID(rawValue: 1), name: name, .compared), body: body,
                sentAtMs: 0, replyTo: nil, delivery: nil, warnings: [])
            return MessageRenderer(me: "ann", layout: .record(conversation: name)).lines(message)
                .map { $0.painted(.plain) }
        }
        #expect(lines("Bob")[0].hasSuffix("  3  Bob › Bob: hi"))
        #expect(lines("you")[0].hasSuffix("  3  “you” › “you”: hi"))
        #expect(lines("Kith")[0].hasSuffix("  3  “Kith” › “Kith”: hi"))
        #expect(lines("Bob: hi, you")[0].hasSuffix("  3  “Bob: hi, you” › “Bob: hi, you”: hi"))
        #expect(lines("Bob", .notice(.left("you")))[0].hasSuffix("[“you” left]"))
    }

    @Test("a reply names what it answers, in the history too, with files too")
    func replies() throws {
        let bob = Message.Author.contact(ContactID(rawValue: 1), name: "Bob", .compared)
        func lines(_ body: Message.Body, _ quote: Message.Quote?) -> [String] {
            var message = Message(
                id: .random(), conversation: ConversationID(rawValue: 1), seq: 12, author: bob, body: body,
                sentAtMs: 0, replyTo: .random(), delivery: nil, warnings: [])
            message.quote = quote
            return MessageRenderer(me: "ann", layout: .record(conversation: nil)).lines(message)
                .map { $0.painted(.plain) }
        }
        let quote = Message.Quote(seq: 7, author: .me, text: "lunch?", isEdited: false)
        let text = lines(.text("yes"), quote)
        #expect(text.count == 2 && text[1].hasSuffix("  12  Bob: yes"), "\(text)")
        #expect(text[0].trimmingPrefix { $0 == " " } == "↳ to 7, you: “lunch?”", "\(text)")
        let file = MessageFile(number: 1, FileLabel(name: "a.jpg", mediaType: ""), size: 5, isInMessage: true)
        let files = lines(.files(MessageFiles(caption: "", files: [file])), quote)
        #expect(files.count == 2 && files[0] == text[0], "\(files)")
        #expect(lines(.text("yes"), nil)[0].hasSuffix("↳ to an earlier message"))
        #expect(lines(.deleted, quote).count == 1)
    }

    @Test("foreign text can't move the cursor")
    func safeMessages() {
        let name = "mal\u{1B}[2Jlory"
        let message = Message(
            id: .random(), conversation: ConversationID(rawValue: 1), seq: 3,
            author: .contact(ContactID(rawValue: 1), name: name, .unverified),
            body: .text("a\u{1B}[31m\r\nb\u{202E}c\u{7}"),
            sentAtMs: .max, replyTo: nil, delivery: nil, warnings: [.missingBefore(2)])
        let lines = MessageRenderer(me: "ann", layout: .record(conversation: "ro\u{9B}om")).lines(message)
            .map { $0.painted(.plain) }
        #expect(lines.count == 3)
        for line in lines {
            #expect(!line.unicodeScalars.contains { $0.properties.generalCategory == .control })
            #expect(!line.unicodeScalars.contains("\u{202E}"))
        }
        #expect(lines[0].contains("(unverified)"))
        #expect(lines[2].contains("2 earlier messages"))
    }
}
