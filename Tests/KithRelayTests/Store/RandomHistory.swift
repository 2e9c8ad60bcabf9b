import Crypto
import KithRelay
import KithWire
import TestSupport

/// Generates mutations of all kinds, most of which match the store's state.
struct RandomHistory {
    var random: SeededGenerator
    let channels: [ChannelID]
    let names: [(name: Name, records: [NameRecord])]
    private(set) var nowMs: UInt64 = 1_000_000
    /// The heads if all generated mutations take effect.
    private var heads: [ChannelID: ChannelHead] = [:]
    private var shelves: [ChannelID: KeyPackageShelf] = [:]

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        var generator = random
        channels = (0..<8).map { _ in .random(using: &generator) }
        let key = Curve25519.Signing.PrivateKey()
        names = try ["ann", "bob"].compactMap { Name($0) }.map { name in
            let records = try (1...3).map { version in
                try NameRecord(name: name, version: version, content: [UInt8(version)], signedBy: key)
            }
            return (name, records)
        }
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func advance() { nowMs += UInt64.random(in: 0...3_000, using: &random) }

    /// Generates mutations for the current state of `store`.
    mutating func batch(on store: any ChannelStore) async throws -> [StoreMutation] {
        for id in channels {
            heads[id] = try await store.head(of: id)
            shelves[id] = try await store.shelf(of: id)
        }
        let count = Int.random(in: 1...(chance(20) ? 120 : 12), using: &random)
        return (0..<count).map { _ in mutation() }
    }

    private mutating func mutation() -> StoreMutation {
        // The first channels get most entries, so that they complete blocks.
        let index = min(
            Int.random(in: 0..<channels.count, using: &random), Int.random(in: 0..<channels.count, using: &random))
        let id = channels[index]
        guard let head = heads[id], !(head.isClosed && chance(90)) else {
            let access = Access.random()
            heads[id] =
                heads[id] ?? ChannelHead(created: access, retentionSeconds: UInt32(index) * 100 + 5, atMs: nowMs)
            return .create(channel: id, access: access, retentionSeconds: UInt32(index) * 100 + 5, atMs: nowMs)
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<75: return append(to: id, head)
        case 75..<85:
            let range = head.firstSeq...max(head.firstSeq, head.lastSeq + 1)
            let far = UInt64.random(in: range, using: &random)
            let near = min(head.firstSeq + UInt64.random(in: 0...5, using: &random), range.upperBound)
            let firstSeq = chance(10) ? far : near
            heads[id]?.firstSeq = firstSeq
            return .trim(channel: id, firstSeq: chance(5) ? head.lastSeq + 2 : firstSeq)
        case 85..<91: return deposit(on: id)
        case 91..<95: return withdraw(from: id)
        case 95: return .use(channel: id, atMs: nowMs)
        case 96..<99: return register()
        default:
            // Rare, and even rarer for channels with long histories.
            guard chance(10 + 10 * index) else { return append(to: id, head) }
            heads[id]?.isClosed = true
            return .close(channel: id, lastSeq: head.lastSeq)
        }
    }

    private mutating func append(to id: ChannelID, _ head: ChannelHead) -> StoreMutation {
        let isTurn = chance(5)
        let isWrong = chance(5)
        let size = chance(3) ? 20_000 : Int.random(in: 0...400, using: &random)
        let payload = Array(repeating: UInt8.random(in: 0...255, using: &random), count: size)
        if chance(30) { nowMs += 1 }
        let entry = Entry(
            seq: head.lastSeq + (isWrong ? 2 : 1), epoch: head.epoch, kind: isTurn ? .turn : .message,
            receivedAtMs: nowMs, id: .random(using: &random), payload: payload[...])
        if !isWrong {
            heads[id]?.lastSeq += 1
            if isTurn { heads[id]?.epoch += 1 }
        }
        return .append(channel: id, entry: entry, nextAccess: isTurn ? .random() : nil)
    }

    private mutating func deposit(on id: ChannelID) -> StoreMutation {
        let packages = (0..<Int.random(in: 0...3, using: &random)).map { keyPackage("package \($0) at \(nowMs)") }
        let version = shelves[id]?.version ?? 0
        shelves[id]?.version += 1
        return .deposit(
            channel: id, keyPackages: packages, lastResort: chance(30) ? keyPackage("last \(nowMs)") : nil,
            shelfVersion: chance(5) ? version + 1 : version, atMs: nowMs)
    }

    private mutating func withdraw(from id: ChannelID) -> StoreMutation {
        let shelf = shelves[id] ?? KeyPackageShelf()
        return .withdraw(channel: id, position: shelf.next?.position ?? 1, shelfVersion: shelf.version)
    }

    private mutating func register() -> StoreMutation {
        let (_, records) = names[Int.random(in: 0..<names.count, using: &random)]
        let record = records[Int.random(in: 0..<records.count, using: &random)]
        let replacing = UInt64.random(in: 0...2, using: &random)
        return .register(record: record, replacing: replacing == 0 ? nil : replacing, atMs: 1_000)
    }
}
