import KithWire
import Testing

@testable import KithCore

@Suite("Parcel fetches")
struct ParcelFetchesTests {
    private var step = Step()
    private var parcels = ParcelFetches()
    private var relays: RelayDirectory
    private let relay: RelayID
    private let tree = ParcelPurpose.tree(InboxID(rawValue: 1))
    private let commit = ParcelPurpose.commit(ConversationID(rawValue: 1))
    private let bytes = [UInt8](repeating: 5, count: ParcelAddress.partLength + 10)
    private let address: ParcelAddress

    init() throws {
        (relays, relay) = try RelayDirectory.connected(in: &step)
        address = ParcelAddress(
            channel: .random(), readToken: .random(), key: [UInt8](repeating: 3, count: 32),
            length: UInt32(bytes.count))
    }

    private func entries() throws -> [Entry] {
        try #require(address.seal(bytes)).enumerated().map { index, part in
            Entry(
                seq: UInt64(index + 1), epoch: 0, kind: .message, receivedAtMs: 1, id: .random(), payload: part[...])
        }
    }

    private mutating func fetch(_ purpose: ParcelPurpose, since: UInt64 = 0) {
        parcels.fetch(address, at: relay, for: purpose, since: since)
        parcels.open(purpose, relays, in: &step)
    }

    /// The tag of the last follow.
    private var tag: UInt64? {
        step.output.effects.compactMap { if case .follow(_, let tag, _, _, _) = $0 { tag } else { nil } }.last
    }

    private func description(_ event: ParcelFetches.Event?) -> String? {
        switch event {
        case .came(_, let bytes): "came: \(bytes.count)"
        case .failed(_, let code): "failed: \(code)"
        case nil: nil
        }
    }

    @Test("parts may come in any order and repeatedly, and the parcel is delivered once")
    mutating func whole() throws {
        fetch(commit)
        let tag = try #require(tag)
        #expect(parcels.isFetching(commit) && parcels.isFollowing(commit, tag) && !parcels.isFollowing(tree, tag))
        let entries = try entries()
        #expect(parcels.take([entries[1], entries[1]], of: commit, in: &step) == nil)
        #expect(description(parcels.take([entries[0]], of: commit, in: &step)) == "came: \(bytes.count)")
        #expect(!parcels.isFetching(commit))
        #expect(parcels.take(entries, of: commit, in: &step) == nil)
    }

    @Test("an entry that is not a part ends the fetch")
    mutating func foreign() throws {
        fetch(commit)
        var entry = try entries()[0]
        entry = Entry(
            seq: 1, epoch: 0, kind: .message, receivedAtMs: 1, id: entry.id, payload: entry.payload.dropLast())
        #expect(description(parcels.take([entry], of: commit, in: &step)) == "failed: denied")
        #expect(parcels.isEmpty)
    }

    @Test("an incomplete tree is given up at once, and an incomplete commit is awaited")
    mutating func incomplete() {
        fetch(tree)
        fetch(commit)
        #expect(parcels.didStartFollow(commit, lastSeq: 1, in: &step) == nil)
        #expect(description(parcels.didStartFollow(tree, lastSeq: 1, in: &step)) == "failed: gone")
        #expect(parcels.isFetching(commit) && !parcels.isFetching(tree))
    }

    @Test("a tree that is incomplete after its last entry is given up")
    mutating func notWhole() throws {
        fetch(tree)
        #expect(parcels.didStartFollow(tree, lastSeq: 2, in: &step) == nil)
        let first = try entries()[0]
        let again = Entry(
            seq: 2, epoch: 0, kind: .message, receivedAtMs: 1, id: first.id, payload: first.payload)
        #expect(parcels.take([first], of: tree, in: &step) == nil)
        #expect(description(parcels.take([again], of: tree, in: &step)) == "failed: gone")
    }

    @Test("a fetch is retried after a pause and on the next connection, and given up after a day")
    mutating func time() throws {
        fetch(commit, since: 1_000)
        let first = try #require(tag)
        #expect(parcels.didRefuse(commit, RelayError(.tooFast, "fast"), at: 2_000, in: &step) == nil)
        #expect(parcels.due == [2_000 + ClientLimits.inboxRetryMs] && !parcels.isFollowing(commit, first))
        #expect(parcels.tick(commit, relays, at: 2_000 + ClientLimits.inboxRetryMs, in: &step) == nil)
        let second = try #require(tag)
        #expect(second != first && parcels.isFollowing(commit, second))
        parcels.didDisconnect(relay)
        parcels.didConnect(relay, relays, in: &step)
        #expect(try parcels.isFollowing(commit, #require(tag)))
        #expect(parcels.due == [1_000 + ClientLimits.parcelMs])
        let over = parcels.tick(commit, relays, at: 1_000 + ClientLimits.parcelMs, in: &step)
        #expect(description(over) == "failed: denied" && parcels.isEmpty)
    }

    @Test("a permanent refusal ends the fetch")
    mutating func refused() {
        fetch(tree)
        #expect(description(parcels.didRefuse(tree, RelayError(.gone, "gone"), at: 1, in: &step)) == "failed: gone")
        #expect(parcels.didRefuse(tree, RelayError(.gone, "gone"), at: 1, in: &step) == nil)
    }

    @Test("a parcel is requested once per connection, and only with a connection")
    mutating func once() {
        fetch(commit)
        let first = tag
        parcels.open(commit, relays, in: &step)
        #expect(first != nil && tag == first)
        parcels.didDisconnect(relay)
        relays.didDisconnect(relay)
        parcels.open(commit, relays, in: &step)
        #expect(tag == first)
    }

    @Test("a second refusal of the same attempt is ignored")
    mutating func refusedTwice() {
        fetch(commit)
        #expect(parcels.didRefuse(commit, RelayError(.tooFast, "fast"), at: 1_000, in: &step) == nil)
        #expect(parcels.didRefuse(commit, RelayError(.denied, "denied"), at: 2_000, in: &step) == nil)
        #expect(parcels.isFetching(commit) && parcels.due == [1_000 + ClientLimits.inboxRetryMs])
    }
}
