import KithSimulation
import KithSupport
import KithWire
import MLS
import Testing

@testable import KithCore

@Suite struct UploadQueueTests {
    private let store = MemoryProfileStore()
    private var queue = UploadQueue()
    private var step = Step()
    private let conversation = ConversationID(rawValue: 3)

    private static func source(modified: UInt64 = 1, size: UInt64 = 9_000_000) -> FileSource {
        .path("/a", FileStamp(size: size, modifiedNs: modified, inode: 2), isCleaned: false)
    }

    /// Adds a message with one file, and returns its upload.
    private mutating func add(size: UInt64 = 9_000_000) throws -> Upload {
        let files = OutgoingFiles(
            caption: "",
            files: [
                PreparedFile(
                    label: FileLabel(name: "a", mediaType: ""), content: .source(Self.source(size: size), size: size))
            ])
        queue.add(UploadRecord(files, as: .random(), sentAt: 1, random: .system), to: conversation, in: &step)
        return try current()
    }

    private func current() throws -> Upload { try #require(queue.all.first?.record.uploads.first) }

    /// Ends the step. Its transaction reaches the disk.
    @discardableResult
    private mutating func commit() throws -> ProfileOutput {
        let output = step.finish()
        try store.commit(output.transaction)
        return output
    }

    private mutating func reserve(_ result: Result<Reply, RelayError> = .success(.done), at now: UInt64 = 0) throws
        -> FileProblem?
    {
        let id = try current().id
        queue.didAskForRoom(id)
        #expect(queue.reservable(at: now).isEmpty)
        return queue.didReserve(id, result, at: now, in: &step)
    }

    private mutating func seal(_ piece: UInt64, _ digest: UInt8) throws -> PieceDecision {
        defer { step = Step() }
        let decision = try queue.record(
            [UInt8](repeating: digest, count: 32), ofPiece: piece, of: try current().id, from: store, in: &step)
        try commit()
        return decision
    }

    @Test("a piece is sent only with the digest that was stored before")
    mutating func digests() throws {
        _ = try add()
        #expect(try reserve() == nil)
        #expect(try seal(0, 1) == .proceed)
        #expect(try seal(0, 1) == .proceed)
        #expect(try seal(0, 2) == .changed)
        #expect(try seal(2, 3) == .stop)
        #expect(try seal(1, 3) == .proceed)
        #expect(queue.recorded(try current().id) == 2)
    }

    @Test("a file that has changed loses the size and the preview of the picture before")
    mutating func changedPicture() throws {
        var file = PreparedFile(
            label: FileLabel(name: "a.jpg", mediaType: ""), content: .source(Self.source(), size: 9_000_000))
        file.label.dimensions = .init(width: 640, height: 480)
        file.label.thumbnail = [1, 2, 3]
        let files = OutgoingFiles(caption: "", files: [file])
        queue.add(UploadRecord(files, as: .random(), sentAt: 1, random: .system), to: conversation, in: &step)
        let id = try current().id
        #expect(queue.restart(id, changed: nil, at: 0, random: .system, in: &step) == nil)
        #expect(queue.all.first?.record.files.files.first?.label == file.label)
        let changed = (Self.source(modified: 2, size: 5), UInt64(5))
        #expect(queue.restart(try current().id, changed: changed, at: 0, random: .system, in: &step) == nil)
        #expect(queue.all.first?.record.files.files.first?.label == FileLabel(name: "a.jpg", mediaType: ""))
    }

    @Test("a queue that is read from the store continues with the stored digests")
    mutating func reloaded() throws {
        _ = try add()
        _ = try reserve()
        for piece in 0..<2 { #expect(try seal(UInt64(piece), UInt8(piece)) == .proceed) }
        let (place, record) = try #require(queue.all.first)
        queue = UploadQueue()
        try queue.load(place, try UploadRecord(stored: record.encoded), from: store)
        #expect(queue.recorded(try current().id) == 2)
        #expect(try seal(1, 7) == .changed)
        #expect(queue.startable(at: 0).map(\.upload) == [try current()])
    }

    @Test("the root of a complete upload is that of its digests, which are then forgotten")
    mutating func root() throws {
        let upload = try add()
        _ = try reserve()
        let pieces = FileLayout(size: 9_000_000).pieceCount
        for piece in 0..<pieces { _ = try seal(piece, UInt8(piece)) }
        try queue.didUpload(upload.id, from: store, in: &step)
        try commit()
        let digests = (0..<pieces).map { [UInt8](repeating: UInt8($0), count: 32) }
        #expect(try current().root == FileCipher.root(of: digests))
        #expect(try store.allRows(.piece).isEmpty)
        let message = try #require(queue.all.first?.record.message)
        guard case .blob(let blob) = message.attachments[0].place else { throw Unexpected() }
        #expect(blob.key == upload.key && blob.layout.size == 9_000_000)
    }

    @Test("a changed file gets another blob and another key, three times at most")
    mutating func restarts() throws {
        var last = try add()
        _ = try reserve()
        for round in 1...ClientLimits.uploadRestarts {
            _ = try seal(0, UInt8(round))
            let problem = queue.restart(
                last.id, changed: (Self.source(modified: UInt64(round)), 5_000), at: 0, random: .system, in: &step)
            #expect(problem == nil)
            try commit()
            let next = try current()
            #expect(next.blob != last.blob && next.key != last.key && next.id != last.id && !next.isReserved)
            #expect(try store.allRows(.piece).isEmpty)
            #expect(queue.recorded(next.id) == 0)
            last = next
            _ = try reserve()
        }
        let problem = queue.restart(
            last.id, changed: (Self.source(), 1), at: 0, random: .system, in: &step)
        #expect(problem == .keepsChanging)
    }

    @Test("a relay that loses blobs is asked again after a pause, as often as necessary")
    mutating func lost() throws {
        _ = try add()
        for _ in 0..<10 {
            _ = try reserve(at: 1_000_000)
            let id = try current().id
            #expect(queue.restart(id, changed: nil, at: 0, random: .system, in: &step) == nil)
            #expect(queue.reservable(at: 0).isEmpty)
            #expect(queue.due { _ in true } == [ClientLimits.reservationPauseMs])
            #expect(queue.reservable(at: ClientLimits.reservationPauseMs).count == 1)
        }
    }

    @Test(
        "a refused reservation is repeated after a pause, or fails for good",
        arguments: [
            (.tooFast, nil, 60_000), (.full, nil, 10_000), (.unavailable, nil, 10_000), (.staleEpoch, nil, 300),
            (.tooLarge, .tooLarge(limit: 9_846), nil), (.denied, .refused, nil), (.exists, .refused, nil),
        ] as [(RelayError.Code, FileProblem?, UInt64?)])
    mutating func refusals(code: RelayError.Code, problem: FileProblem?, pause: UInt64?) throws {
        _ = try add()
        let error = RelayError(
            code, "no", detail: 10_000, retryAfterMs: code == .tooFast ? 60_000 : 0)
        #expect(try reserve(.failure(error), at: 5) == problem)
        #expect(queue.due { _ in true } == (pause.map { [5 + $0] } ?? []))
        // A conversation without a connection must not wake the machine again and again.
        #expect(queue.due { _ in false }.isEmpty)
        #expect(queue.refusal(try current().id) == (pause == nil || code == .staleEpoch ? nil : error))
    }

    @Test("a lost connection lets the reservation be asked for again, and only a few uploads run at once")
    mutating func connection() throws {
        for _ in 0..<5 { _ = try add() }
        for (_, upload) in queue.reservable(at: 0) { queue.didAskForRoom(upload.id) }
        #expect(queue.reservable(at: 0).isEmpty)
        queue.didDisconnect(conversation)
        #expect(queue.reservable(at: 0).count == 5)
        for (_, upload) in queue.reservable(at: 0) {
            _ = queue.didReserve(upload.id, .success(.done), at: 0, in: &step)
        }
        let first = queue.startable(at: 0)
        #expect(first.count == ClientLimits.transfers)
        for (_, upload) in first { queue.didStart(upload.id) }
        #expect(queue.startable(at: 0).isEmpty)
    }

    @Test("an upload that pauses makes room for others, and is tried again at its time")
    mutating func pause() throws {
        for _ in 0..<4 { _ = try add() }
        for (_, upload) in queue.reservable(at: 0) {
            queue.didAskForRoom(upload.id)
            _ = queue.didReserve(upload.id, .success(.done), at: 0, in: &step)
        }
        let running = queue.startable(at: 0).map(\.upload.id)
        for id in running { queue.didStart(id) }
        queue.pause(running[0], until: 500)
        let next = queue.startable(at: 499).map(\.upload.id)
        #expect(next.count == 1 && !running.contains(next[0]))
        // The connection for messages is not needed to transfer bytes.
        #expect(queue.due { _ in false } == [500])
        queue.didStart(next[0])
        #expect(queue.due { _ in false }.isEmpty && queue.startable(at: 500).isEmpty)
        queue.pause(next[0], until: 900)
        #expect(queue.startable(at: 500).map(\.upload.id) == [running[0]])
    }

    @Test(
        "the blobs of a message that expires are kept a day longer than the message, and 30 days at most",
        arguments: [(nil, 2_592_000), (60, 86_460), (2_505_600, 2_592_000), (.max, 2_592_000)] as [(UInt32?, UInt32)])
    mutating func lifetime(expiresAfter: UInt32?, lifetime: UInt32) throws {
        let blob = try add().newBlob(FileLayout(size: 5), expiresAfter: expiresAfter)
        #expect(blob.lifetimeSeconds == lifetime)
    }

    @Test("a removed message ends its jobs and leaves nothing in the store")
    mutating func removed() throws {
        let upload = try add()
        _ = try reserve()
        queue.didStart(upload.id)
        _ = try seal(0, 1)
        let place = try #require(queue.all.first?.place)
        _ = queue.remove(place, in: &step)
        let output = try commit()
        let ended = output.effects.contains { if case .endTransfer(upload.id) = $0 { true } else { false } }
        #expect(ended && queue.isEmpty)
        #expect(try store.allRows(.piece).isEmpty && store.allRows(.upload).isEmpty)
        #expect(try queue.record([], ofPiece: 0, of: upload.id, from: store, in: &step) == .stop)
    }
}
