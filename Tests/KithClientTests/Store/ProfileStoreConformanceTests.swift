import Foundation
import KithSimulation
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Every profile store")
struct ProfileStoreConformanceTests {
    enum Kind: CaseIterable { case memory, vault }

    private func withStore(_ kind: Kind, _ body: (any ProfileStore) throws -> Void) throws {
        switch kind {
        case .memory: try body(MemoryProfileStore())
        case .vault:
            let folder = VaultFolder()
            try body(try folder.create())
        }
    }

    @Test("keeps written values, and no replaced or deleted ones", arguments: Kind.allCases)
    func puts(kind: Kind) throws {
        try withStore(kind) { store in
            #expect(try store.text(.entry, owner: 1, item: 1) == nil)
            try store.commit(.put(.entry, owner: 1, item: 1, "one"))
            try store.commit(.put(.entry, owner: 2, item: 1, "other owner"))
            try store.commit(.put(.outbox, owner: 1, item: 1, "other table"))
            #expect(try store.text(.entry, owner: 1, item: 1) == "one")
            try store.commit(.put(.entry, owner: 1, item: 1, ""))
            #expect(try store.text(.entry, owner: 1, item: 1) == "")
            var transaction = StoreTransaction()
            transaction.delete(StoreKey(.entry, owner: 1, item: 1))
            transaction.delete(StoreKey(.entry, owner: 1, item: 77))
            try store.commit(transaction)
            #expect(try store.text(.entry, owner: 1, item: 1) == nil)
            #expect(try store.text(.entry, owner: 2, item: 1) == "other owner")
            #expect(try store.text(.outbox, owner: 1, item: 1) == "other table")
        }
    }

    @Test("applies the writes of a transaction in order", arguments: Kind.allCases)
    func order(kind: Kind) throws {
        try withStore(kind) { store in
            var transaction = StoreTransaction()
            transaction.put(StoreKey(.record, owner: 3, item: 1), [1])
            transaction.deleteAll(.record, owner: 3)
            transaction.put(StoreKey(.record, owner: 3, item: 2), [2])
            transaction.put(StoreKey(.record, owner: 3, item: 2), [3])
            try store.commit(transaction)
            #expect(try store.allValues(.record) == [StoredValue(owner: 3, item: 2, bytes: [3])])
        }
    }

    @Test("takes the highest numbers as keys", arguments: Kind.allCases)
    func extremes(kind: Kind) throws {
        try withStore(kind) { store in
            let places: [(UInt64, UInt64)] = [
                (0, 0), (0, StoreKey.highest), (StoreKey.highest, 0), (StoreKey.highest, StoreKey.highest),
            ]
            for (owner, item) in places.shuffled() { try store.commit(.put(.entry, owner: owner, item: item, "x")) }
            #expect(try store.allValues(.entry).map(\.owner) == places.map(\.0))
            #expect(try store.allValues(.entry).map(\.item) == places.map(\.1))
            let newest = try store.values(.entry, owner: 0, items: 1...UInt64.max, limit: 9, newestFirst: true)
            #expect(newest.map(\.item) == [StoreKey.highest])
            #expect(try store.values(.entry, owner: 0, items: 0...9, limit: 0, newestFirst: false).isEmpty)
        }
    }

    @Test("has the same content as the others after random transactions", arguments: 0..<8 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let folder = VaultFolder()
        let memory = MemoryProfileStore()
        var vault = try folder.create()
        for round in 0..<60 {
            let transaction = randomTransaction(&random)
            try memory.commit(transaction)
            try vault.commit(transaction)
            if round % 20 == 19 {
                try vault.close()
                vault = try folder.open()
            }
            let table = randomTable(&random)
            let owner = UInt64.random(in: 0..<4, using: &random)
            let first = UInt64.random(in: 0..<12, using: &random)
            let last = UInt64.random(in: first..<16, using: &random)
            let limit = Int.random(in: 0..<8, using: &random)
            for newestFirst in [false, true] {
                let expected = try memory.values(
                    table, owner: owner, items: first...last, limit: limit, newestFirst: newestFirst)
                let found = try vault.values(
                    table, owner: owner, items: first...last, limit: limit, newestFirst: newestFirst)
                #expect(found == expected, "round \(round)")
            }
            let key = StoreKey(table, owner: owner, item: first)
            #expect(try vault.value(key) == memory.value(key), "round \(round)")
        }
        for table in StoreTable.allCases {
            #expect(try vault.allValues(table) == memory.allValues(table), "\(table)")
        }
    }

    private func randomTable(_ random: inout SeededGenerator) -> StoreTable {
        StoreTable.allCases[Int.random(in: 0..<StoreTable.allCases.count, using: &random)]
    }

    private func randomTransaction(_ random: inout SeededGenerator) -> StoreTransaction {
        var transaction = StoreTransaction()
        for _ in 0..<Int.random(in: 0..<8, using: &random) {
            let table = randomTable(&random)
            let owner = UInt64.random(in: 0..<4, using: &random)
            let key = StoreKey(table, owner: owner, item: .random(in: 0..<16, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0: transaction.deleteAll(table, owner: owner)
            case 1, 2: transaction.delete(key)
            default:
                // From an empty value to several pages.
                let length = Int.random(in: 0..<4, using: &random) * Int.random(in: 0..<5_000, using: &random)
                transaction.put(key, [UInt8](repeating: .random(in: 0...255, using: &random), count: length))
            }
        }
        return transaction
    }
}
