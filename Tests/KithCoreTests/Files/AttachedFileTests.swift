import KithSupport
import KithWire
import TLSCodec
import Testing

@testable import KithCore

@Suite struct AttachedFileTests {
    static func blob(size: UInt64 = 5_000, padded: UInt64? = nil) throws -> BlobReference {
        BlobReference(
            blob: try #require(BlobID((0..<32).map { UInt8($0) })),
            read: try #require(Token([UInt8](repeating: 0xff, count: 32))),
            key: SecretBytes([UInt8](repeating: 7, count: 32)),
            layout: padded.map { FileLayout(size: size, padded: $0) } ?? FileLayout(size: size),
            root: [UInt8](repeating: 9, count: 32))
    }

    private static func attachment(name: String = "a.txt", type: String = "text/plain", bytes: [UInt8] = [1])
        -> AttachedFile
    {
        AttachedFile(label: FileLabel(name: name, mediaType: type), place: .inline(bytes))
    }

    private static func decode(_ attachments: [AttachedFile], caption: String = "") throws -> FileMessage {
        try FileMessage(decoding: FileMessage(caption: caption, attachments: attachments).encoded)
    }

    @Test("files in a message are encoded and decoded")
    func roundTrip() throws {
        var label = FileLabel(name: "Ferien.jpg", mediaType: "image/jpeg", flags: .longText)
        label.dimensions = FileLabel.Dimensions(width: 4_000, height: 3_000)
        label.durationMs = 12
        label.thumbnail = [1, 2, 3]
        let message = FileMessage(
            caption: "two", attachments: [AttachedFile(label: label, place: .blob(try Self.blob())), Self.attachment()])
        #expect(try FileMessage(decoding: message.encoded) == message)
    }

    @Test("the example of protocol.md is decoded")
    func example() throws {
        let hello: [UInt8] = [
            0x02, 0x68, 0x69,  // caption "hi"
            0x16,  // 22 bytes of attachments
            0x05, 0x61, 0x2e, 0x74, 0x78, 0x74,  // name "a.txt"
            0x00,  // no media type
            0x00, 0x00, 0x00, 0x00,  // no flags, no dimensions, no duration, no thumbnail
            0x00, 0x09, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a, 0x0a, 0x0a, 0x0a,  // inline, 9 bytes
        ]
        let message = try FileMessage(decoding: hello)
        #expect(message.caption == "hi")
        #expect(
            message.attachments == [
                AttachedFile(
                    label: FileLabel(name: "a.txt", mediaType: ""), place: .inline(Array("hello\n\n\n\n".utf8)))
            ])
    }

    @Test("a message with 0 or 17 files, or too much inside, is refused")
    func counts() throws {
        #expect(throws: TLSCodecError.self) { try Self.decode([]) }
        #expect(try Self.decode(Array(repeating: Self.attachment(), count: 16)).attachments.count == 16)
        #expect(throws: TLSCodecError.self) { try Self.decode(Array(repeating: Self.attachment(), count: 17)) }
        let half = Self.attachment(bytes: [UInt8](repeating: 0, count: 24 << 10))
        #expect(try Self.decode([half, half]).attachments.count == 2)
        #expect(throws: TLSCodecError.self) { try Self.decode([half, half, Self.attachment()]) }
    }

    @Test("a name, a type, a caption or a thumbnail beyond its limit is refused")
    func lengths() throws {
        #expect(throws: TLSCodecError.self) { try Self.decode([Self.attachment(name: "")]) }
        #expect(throws: TLSCodecError.self) {
            try Self.decode([Self.attachment(name: String(repeating: "a", count: 256))])
        }
        #expect(throws: TLSCodecError.self) { try Self.decode([Self.attachment(type: "text/pla in")]) }
        #expect(throws: TLSCodecError.self) {
            try Self.decode([Self.attachment(type: String(repeating: "a", count: 65))])
        }
        #expect(throws: TLSCodecError.self) { try Self.decode([Self.attachment()], caption: "a\u{0}") }
        #expect(throws: TLSCodecError.self) {
            try Self.decode([Self.attachment()], caption: String(repeating: "a", count: 4_097))
        }
        var file = Self.attachment()
        file.label.thumbnail = [UInt8](repeating: 0, count: 6_145)
        #expect(throws: TLSCodecError.self) { try Self.decode([file]) }
    }

    @Test(
        "a blob's padded size must hold the file, and be at most what the padding gives",
        arguments: [
            (5_000, 4_999, false), (5_000, 5_000, true), (5_000, 5_225, true), (5_000, 5_226, false), (0, 0, false),
            (0, 1, true),
            (1 << 50 + 1, 1 << 50 + 1, false),
        ] as [(UInt64, UInt64, Bool)])
    func paddedSizes(size: UInt64, padded: UInt64, isAccepted: Bool) throws {
        let file = AttachedFile(
            label: FileLabel(name: "a", mediaType: ""), place: .blob(try Self.blob(size: size, padded: padded)))
        #expect(((try? Self.decode([file])) != nil) == isAccepted)
    }

    @Test("every prefix of a message with files is refused")
    func prefixes() throws {
        let whole = FileMessage(
            caption: "c",
            attachments: [AttachedFile(label: FileLabel(name: "a", mediaType: ""), place: .blob(try Self.blob()))]
        ).encoded
        for count in whole.indices {
            #expect(throws: TLSCodecError.self) { try FileMessage(decoding: whole[..<count]) }
        }
    }

    @Test("the mark of a long text counts for a single file, which is then named text.txt")
    func longText() {
        func message(_ names: [String]) -> FileMessage {
            FileMessage(
                caption: "a",
                attachments: names.map {
                    AttachedFile(label: FileLabel(name: $0, mediaType: "a/b", flags: .longText), place: .inline([1]))
                })
        }
        let one = MessageFiles(message(["virus.exe"])).files
        #expect(one.map(\.name) == ["text.txt"] && one[0].isLongText && one[0].mediaType == "text/plain")
        let two = MessageFiles(message(["a.txt", "virus.exe"])).files
        #expect(two.map(\.name) == ["a.txt", "virus.exe"] && two.allSatisfy { !$0.isLongText })
    }
}
