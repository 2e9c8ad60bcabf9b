import KithSimulation
import KithSupport
import KithWire
import MLS
import Testing

@testable import KithCore

@Suite struct DownloadQueueTests {
    private let store = MemoryProfileStore()
    private var queue = DownloadQueue()
    private var step = Step()
    private let place = FilePlace(conversation: ConversationID(rawValue: 3), seq: 9, number: 2)

    private static let digests = (0..<3).map { [UInt8](repeating: UInt8($0), count: 32) }

    private func reference(root: [UInt8] = FileCipher.root(of: digests)) throws -> BlobReference {
        BlobReference(
            blob: .random(), read: .random(), key: .zero(count: 32), layout: FileLayout(size: 9_000_000), root: root)
    }

    @discardableResult
    private mutating func commit() throws -> ProfileOutput {
        let output = step.finish()
        try store.commit(output.transaction)
        return output
    }

    private mutating func verify(_ piece: Int, of id: TransferID) throws -> PieceDecision {
        let decision = try queue.record(
            Self.digests[piece], ofPiece: UInt64(piece), of: id, from: store, in: &step)
        try commit()
        return decision
    }

    private mutating func begin(_ reference: BlobReference) throws -> TransferID {
        queue.begin(place, reference, random: .system, in: &step)
        try commit()
        return try #require(queue.id(at: place))
    }

    @Test("the last verified piece completes the file, and leaves one row")
    mutating func complete() throws {
        let id = try begin(try reference())
        for piece in 0..<3 { #expect(try verify(piece, of: id) == .proceed) }
        #expect(queue.isEmpty)
        #expect(try store.allRows(.download).isEmpty && store.allRows(.piece).isEmpty)
        let row = try #require(try store.allRows(.file).first)
        #expect(FilePlace(conversation: ConversationID(rawValue: row.owner), item: row.item) == place)
        #expect(try KeptFile(stored: try #require(row.bytes)).id == id)
    }

    @Test("pieces are counted in order, also after reading the store again")
    mutating func order() throws {
        let id = try begin(try reference())
        #expect(try verify(1, of: id) == .stop)
        #expect(try verify(0, of: id) == .proceed)
        #expect(try verify(0, of: id) == .stop)
        queue = DownloadQueue()
        try queue.load(id, DownloadRecord(place: place), from: store)
        #expect(queue.verified(id) == 1)
        queue.didStart(id, try reference())
        #expect(try verify(1, of: id) == .proceed)
    }

    @Test("a file with another root than the sender's is refused")
    mutating func falseRoot() throws {
        let id = try begin(try reference(root: [UInt8](repeating: 9, count: 32)))
        for piece in 0..<2 { #expect(try verify(piece, of: id) == .proceed) }
        #expect(try verify(2, of: id) == .notGenuine)
        #expect(try store.allRows(.file).isEmpty)
    }

    @Test("a failed download removes its file and its rows")
    mutating func failed() throws {
        let id = try begin(try reference())
        queue.didStart(id, try reference())
        _ = try verify(0, of: id)
        #expect(queue.finish(id, .failure(.files(.gone)), in: &step) == place)
        let effects = try commit().effects
        #expect(effects.contains { if case .removeFile(id) = $0 { true } else { false } })
        #expect(effects.contains { if case .endTransfer(id) = $0 { true } else { false } })
        #expect(try store.allRows(.download).isEmpty && store.allRows(.piece).isEmpty)
    }

    @Test("a second request joins the download that is under way")
    mutating func joined() throws {
        let id = try begin(try reference())
        queue.begin(place, try reference(), random: .system, in: &step)
        #expect(queue.ids == [id])
    }

    /// Begins downloads of three files, which run.
    private mutating func fill() throws -> [TransferID] {
        for seq in 0..<ClientLimits.transfers {
            queue.begin(
                FilePlace(conversation: place.conversation, seq: 100 + UInt64(seq), number: 1), try reference(),
                random: .system, in: &step)
        }
        let running = queue.startable(at: 0).map(\.id)
        #expect(running.count == ClientLimits.transfers)
        for id in running { queue.didStart(id, try reference()) }
        return running
    }

    @Test("a download that pauses makes room for others, and is tried again at its time")
    mutating func pause() throws {
        let running = try fill()
        let next = try begin(try reference())
        #expect(queue.startable(at: 0).isEmpty)
        for id in running { queue.pause(id, until: 500, incompleteAt: nil, in: &step) }
        #expect(queue.startable(at: 499).map(\.id) == [next])
        #expect(queue.due == [500, 500, 500])
        queue.didStart(next, try reference())
        #expect(queue.startable(at: 500).count == 2)
    }

    @Test("no time is due while no further download may begin")
    mutating func full() throws {
        let running = try fill()
        let next = try begin(try reference())
        queue.pause(running[0], until: 500, incompleteAt: nil, in: &step)
        queue.didStart(next, try reference())
        #expect(queue.due.isEmpty && queue.startable(at: 900).isEmpty)
    }

    @Test("an incomplete blob counts as gone after a day, also after reading the store again")
    mutating func incomplete() throws {
        let id = try begin(try reference())
        queue.pause(id, until: 1, incompleteAt: 5_000, in: &step)
        queue.pause(id, until: 2, incompleteAt: 9_000, in: &step)
        try commit()
        let row = try #require(try store.allRows(.download).first?.bytes)
        queue = DownloadQueue()
        try queue.load(id, DownloadRecord(stored: row), from: store)
        #expect(!queue.isAbandoned(id, at: 5_000 + ClientLimits.incompleteFileMs - 1))
        #expect(queue.isAbandoned(id, at: 5_000 + ClientLimits.incompleteFileMs))
    }

    @Test("an automatic download comes after those that the user has requested, until the user requests it, too")
    mutating func automatic() throws {
        let contact = ContactID(rawValue: 4)
        queue.begin(place, try reference(), .automatic(contact), random: .system, in: &step)
        let id = try #require(queue.id(at: place))
        for seq in 20..<24 as Range<UInt64> {
            queue.begin(
                FilePlace(conversation: place.conversation, seq: seq, number: 1), try reference(), random: .system,
                in: &step)
        }
        #expect(queue.startable(at: 0).count == 3 && !queue.startable(at: 0).contains { $0.id == id })
        #expect(queue.automaticIDs(from: contact) == [id])
        try commit()
        let row = try #require(try store.allRows(.download).first { $0.item == id.rawValue }?.bytes)
        #expect(try DownloadRecord(stored: row) == DownloadRecord(place: place, automaticFrom: contact))
        queue.begin(place, try reference(), random: .system, in: &step)
        #expect(queue.automaticIDs(from: contact).isEmpty)
    }

    @Test("the record of an earlier version is read")
    func earlierRecord() throws {
        #expect(try DownloadRecord(stored: place.encoded) == DownloadRecord(place: place))
    }

    @Test("places of files have keys that lead back to them, unless the seq is absurd")
    func keys() throws {
        for place in [place, FilePlace(conversation: ConversationID(rawValue: 1), seq: 1 << 58, number: 16)] {
            let key = try #require(place.key)
            #expect(FilePlace(conversation: place.conversation, item: key.item) == place)
            #expect(try #require(FilePlace.items(of: place.seq)).contains(key.item))
            #expect(try FilePlace(stored: place.encoded) == place)
        }
        #expect(FilePlace(conversation: ConversationID(rawValue: 1), seq: 1 << 60, number: 1).key == nil)
    }
}
