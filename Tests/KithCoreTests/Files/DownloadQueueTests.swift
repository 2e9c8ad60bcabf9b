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
        queue.begin(place, reference, nil, random: .system, in: &step)
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
        try queue.load(id, place, from: store)
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
        queue.begin(place, try reference(), nil, random: .system, in: &step)
        #expect(queue.ids == [id])
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
