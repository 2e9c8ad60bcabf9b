import KithSupport
import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Deleting the blobs of own messages at the relay")
struct BlobDeletionTests {
    private struct Failed: Error {}

    private let played: PlayedConversation

    init() throws {
        played = try PlayedConversation()
        // Before her first message, alice renews her keys.
        try played.perform(.renewKeys(played.id))
        try played.bringTurn()
    }

    private static func file(_ source: FileSource) -> PreparedFile {
        PreparedFile(label: FileLabel(name: "a", mediaType: ""), content: .source(source, size: 70_000))
    }

    private static func source(modified: UInt64 = 1) -> FileSource {
        .path("/a", FileStamp(size: 70_000, modifiedNs: modified, inode: 2), isCleaned: false)
    }

    /// Begins to send a file, and answers the reservation of its blob.
    private func upload(expiresAfter: UInt32? = nil, answers: Bool = true) throws -> UploadJob? {
        let files = OutgoingFiles(caption: "", files: [Self.file(Self.source())], expiresAfter: expiresAfter)
        var effects = try played.perform(.sendFiles(played.id, files))
        guard answers else { return nil }
        for case .request(_, let tag, .createBlob) in effects { effects += try played.answer(tag, .success(.done)) }
        for case .transfer(.upload(let job)) in effects { return job }
        throw Failed()
    }

    /// Sends a file, and delivers its message.
    private func sent(expiresAfter: UInt32? = nil) throws -> (job: UploadJob, entry: Entry) {
        let job = try #require(try upload(expiresAfter: expiresAfter))
        try played.perform(.didSeal(0, [UInt8](repeating: 1, count: 32), of: job.id))
        let message = try #require(try played.perform(.didUpload(job.id)).appends.last)
        let entry = played.entry(message.payload, id: message.id)
        try played.bring([entry])
        return (job, entry)
    }

    private func deletions(_ effects: [Effect]) -> [DeletionJob] {
        effects.compactMap { if case .transfer(.deletion(let job)) = $0 { job } else { nil } }
    }

    private func stored() throws -> [OwnBlob] {
        try played.box.store.allValues(.deletion).map { try DeletionRecord(stored: $0.bytes).blob }
    }

    /// Ends the conversation on alice's device.
    private func end() throws {
        try played.conversation.handle(.abandon, in: &played.box.alice.state.device)
        try played.perform(.setAutoDownload(0))
    }

    @Test("a message that its author deletes for everyone takes its blob along, also after a restart")
    func deleted() throws {
        let (job, entry) = try sent()
        let change = try #require(try played.perform(.change(played.id, entry.seq, .deletion)).appends.last)
        #expect(try stored().isEmpty)
        let effects = try played.bring([played.entry(change.payload, id: change.id)])
        let deletion = try #require(deletions(effects).first)
        #expect(deletion.blob == job.blob && deletion.write == job.write && deletion.relay == job.relay)
        #expect(deletions(try played.wait(milliseconds: 60_000)).isEmpty, "one job at a time")
        // The profile closes before the relay has answered.
        let again = try #require(deletions(try played.box.reopen()).first)
        #expect(again.blob == job.blob && again.id == deletion.id)
        try played.perform(.transferPaused(again.id, pauseMs: 5, isIncomplete: false))
        #expect(deletions(try played.wait(milliseconds: 9_999)).isEmpty)
        #expect(deletions(try played.wait(milliseconds: 1)).count == 1)
        try played.perform(.didDelete(again.id))
        #expect(try stored().isEmpty)
        #expect(deletions(try played.box.reopen()).isEmpty)
    }

    @Test("a message that has expired takes its blob along")
    func expired() throws {
        let (job, _) = try sent(expiresAfter: 60)
        #expect(deletions(try played.wait(milliseconds: 59_999)).isEmpty)
        #expect(deletions(try played.wait(milliseconds: 1)).map(\.blob) == [job.blob])
    }

    @Test("a message that expires while the profile is closed takes its blob along at the next start")
    func expiredWhileClosed() throws {
        let (job, _) = try sent(expiresAfter: 60)
        played.box.passed += 60_000
        var effects = try played.box.reopen()
        effects += try played.box.connect()
        effects += try played.wait(milliseconds: 1)
        #expect(deletions(effects).map(\.blob) == [job.blob])
    }

    @Test("a message that is deleted on this device only leaves its blob to the others")
    func deletedHere() throws {
        let (_, entry) = try sent()
        #expect(deletions(try played.perform(.deleteHere(played.id, entry.seq))).isEmpty)
        #expect(try stored().isEmpty)
        // The token is no longer on the disk.
        let record = try #require(
            try played.box.alice.state.device.readableEntry(at: EntryPlace(conversation: played.id, seq: entry.seq)))
        #expect(record.blobs.isEmpty)
    }

    @Test("a member who names the blob in a message of its own, and deletes that message, does not delete the blob")
    func named() throws {
        let (_, entry) = try sent()
        let record = try #require(
            try played.box.alice.state.device.readableEntry(at: EntryPlace(conversation: played.id, seq: entry.seq)))
        guard case .files(let message) = record.body, record.blobs.count == 1 else { throw Failed() }
        let copy = try played.says(.files(message))
        var effects = try played.bring([copy])
        let reference = MessageReference(seq: copy.seq, id: copy.id)
        effects += try played.bring([played.says(.change(.deletion, of: reference))])
        #expect(try stored().isEmpty && deletions(effects).isEmpty)
    }

    @Test("a message that is given up takes its blobs along, and one that starts anew its earlier blob")
    func givenUp() throws {
        let job = try #require(try upload())
        var effects = try played.perform(.uploadFailed(job.id, .changed(Self.source(modified: 2), size: 70_000)))
        #expect(deletions(effects).map(\.blob) == [job.blob])
        for case .request(_, let tag, .createBlob(_, _, let blob)) in effects {
            #expect(blob.id != job.blob)
            effects = try played.answer(tag, .success(.done))
        }
        guard
            case .transfer(.upload(let second))? = effects.first(where: {
                if case .transfer = $0 { true } else { false }
            })
        else { throw Failed() }
        effects = try played.perform(.uploadFailed(second.id, .problem(.unreadable)))
        #expect(deletions(effects).map(\.blob) == [second.blob])
    }

    @Test("a deleted conversation takes along what was not sent, and leaves what others have")
    func conversation() throws {
        _ = try sent()
        let job = try #require(try upload())
        try end()
        // A conversation that was left gives up its uploads at once.
        #expect(try stored().map(\.blob) == [job.blob])
        try played.perform(.deleteConversation(played.id))
        #expect(try stored().map(\.blob) == [job.blob])
    }

    @Test("a blob whose reservation was not answered is deleted later, because the relay may still reserve it")
    func unanswered() throws {
        _ = try upload(answers: false)
        try end()
        #expect(try stored().count == 1)
        #expect(deletions(try played.wait(milliseconds: ClientLimits.reservationPauseMs - 1)).isEmpty)
        #expect(deletions(try played.wait(milliseconds: 1)).count == 1)
    }

    @Test("a deleted conversation takes along the requests of other processes about files, and their files")
    func requests() throws {
        let spool = TransferID(rawValue: 5)
        let files = OutgoingFiles(caption: "", files: [Self.file(.spool(spool, key: .zero(count: 32)))])
        let place = FilePlace(conversation: played.id, seq: 1, number: 1)
        let other = FilePlace(conversation: ConversationID(rawValue: 99), seq: 1, number: 1)
        let requests = [
            FileRequest.send(.random(), played.id, played.channel, files), .fetch(place), .fetch(other),
        ]
        var transaction = StoreTransaction()
        for (number, request) in requests.enumerated() {
            transaction.put(StoreKey(.request, item: UInt64(number)), request.encoded)
        }
        try played.box.store.commit(transaction)
        try end()
        let effects = try played.perform(.deleteConversation(played.id))
        #expect(try played.box.store.allValues(.request).map(\.bytes) == [requests[2].encoded])
        #expect(effects.contains { if case .removeFile(spool) = $0 { true } else { false } })
    }
}
