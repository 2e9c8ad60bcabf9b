import KithWire
import TLSCodec
import Testing

@testable import KithCore

@Suite("The record of an entry")
struct EntryRecordTests {
    private func record(_ body: EntryRecord.Body) throws -> EntryRecord {
        let entry = Entry(seq: 3, epoch: 2, kind: .message, receivedAtMs: 7, id: .random(), payload: [])
        var record = EntryRecord(
            entry, view: LogView(seq: 3, hash: [UInt8](repeating: 1, count: 32), previous: LogView.noPrevious),
            author: .contact(ContactID(rawValue: 4)), generation: 5, sentAtMs: 6, sawThrough: 2, replyTo: .random(),
            expiresAfter: 60, body: body, warnings: [.missingBefore(1)])
        record.account = AccountKey([UInt8](repeating: 9, count: 32))
        record.replySeq = 1
        return record
    }

    @Test("every body is decoded as it was encoded")
    func bodies() throws {
        let account = try #require(AccountKey([UInt8](repeating: 9, count: 32))).fingerprint
        let bodies: [EntryRecord.Body] = [
            .text("hello"), .text(MessageText("@a", mentions: [.init(range: 0..<2, account: account)])), .notices([]),
            .notices([.pinned(seq: 3, by: "bob"), .unpinned(seq: 3, by: "bob")]),
            .notices([.timer(seconds: 60, by: "bob"), .timer(seconds: nil, by: "bob")]), .unknown(kind: 9, [1]),
            .expired, .deleted, .change(EntryRecord.ChangeNote(kind: .unpin, target: 2, isApplied: true)),
        ]
        for body in bodies {
            let record = try record(body)
            let again = try EntryRecord(stored: record.encoded)
            #expect(again.body == body && again.account == record.account && again.replySeq == 1)
            #expect(again.encoded == record.encoded)
        }
    }

    @Test("content that an earlier version kept as unknown is decoded, and changes have no effect")
    func keptContent() throws {
        func kept(_ content: Content.Body) throws -> EntryRecord.Body {
            let bytes = content.encoded
            let body = EntryRecord.Body.unknown(kind: UInt16(bytes[0]) << 8 | UInt16(bytes[1]), try body(of: bytes))
            return try EntryRecord(stored: try record(body).encoded).body
        }
        func body(of encoded: [UInt8]) throws -> [UInt8] {
            var reader = TLSReader(encoded)
            _ = try reader.readUInt16()
            return Array(try reader.readOpaque())
        }
        let account = try #require(AccountKey([UInt8](repeating: 9, count: 32))).fingerprint
        let text = MessageText("@a", mentions: [.init(range: 0..<2, account: account)])
        let file = AttachedFile(label: FileLabel(name: "a.txt", mediaType: ""), place: .inline([1, 2]))
        let files = FileMessage(caption: "hi", attachments: [file])
        let target = MessageReference(seq: 2, id: .random())
        #expect(try kept(.text(text)) == .text(text))
        #expect(try kept(.files(files)) == .files(files))
        #expect(
            try kept(.change(.deletion, of: target))
                == .change(EntryRecord.ChangeNote(kind: .deletion, target: 2, isApplied: false)))
        #expect(try kept(.timer(60)) == .notices([]))
        #expect(try kept(.unknown(kind: 999, [1])) == .unknown(kind: 999, [1]))
    }

    @Test("a record of the first version has neither the author's account nor the seq of the answered message")
    func firstVersion() throws {
        let now = try record(.text("hello"))
        // Without the vector of blobs.
        var bytes = Array(now.encoded.dropLast())
        // version, id, epoch, kind, time, hash, author with its contact
        let account = 1 + 16 + 8 + 1 + 8 + 32 + 1 + 8
        bytes.removeSubrange(account..<account + 33)
        // generation, times, the answered id
        let replySeq = account + 4 + 8 + 8 + 17
        bytes.removeSubrange(replySeq..<replySeq + 9)
        bytes[0] = 1
        let old = try EntryRecord(stored: bytes)
        #expect(old.account == nil && old.replySeq == nil && old.replyTo == now.replyTo)
        #expect(old.body == now.body && old.expiresAfter == 60 && old.warnings == now.warnings)
        #expect(throws: TLSCodecError.self) { try EntryRecord(stored: [4] + now.encoded.dropFirst()) }
    }

    @Test("the tokens of own blobs are stored with the message; a record of the second version has none")
    func ownBlobs() throws {
        var record = try record(.text("hello"))
        #expect(try EntryRecord(stored: [2] + record.encoded.dropFirst().dropLast()).encoded == record.encoded)
        record.blobs = [
            OwnBlob(relay: RelayID(rawValue: 7), blob: .random(), write: .random(), expiresMs: 9),
            OwnBlob(relay: RelayID(rawValue: 7), blob: .random(), write: .random(), expiresMs: 9),
        ]
        #expect(try EntryRecord(stored: record.encoded).blobs == record.blobs)
    }
}
