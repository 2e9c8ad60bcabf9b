import Foundation
import Glibc
import KithClient

/// Writes to a vault and prints its progress after each commit, for tests that kill this process.
///
/// Transaction n stores the number n under `profile` 1. It stores ``text(_:)`` of n under `entry` n, in place of an older
/// ratchet record, and under `outbox` n, and deletes `outbox` n - 1. It turns the requests of other processes into contacts.
struct UntilKilled {
    /// A text that all stored texts contain.
    static let canary = "the canary sings at midnight"

    let folder: URL

    func write() throws {
        let lock = try ProfileLock.acquire(in: folder)
        defer { withExtendedLifetime(lock) {} }
        let store = try openOrCreate()
        var number =
            try store.value(StoreKey(.profile, item: 1)).flatMap { UInt64(String(decoding: $0, as: UTF8.self)) } ?? 0
        while true {
            number += 1
            var transaction = StoreTransaction()
            transaction.put(StoreKey(.profile, item: 1), Array("\(number)".utf8))
            transaction.put(StoreKey(.entry, owner: number % 7, item: number), Self.text(number))
            transaction.put(StoreKey(.record, owner: number % 7, item: 0), Self.text(number))
            transaction.put(StoreKey(.outbox, item: number), Self.text(number))
            transaction.delete(StoreKey(.outbox, item: number - 1))
            if try store.othersHaveWritten() {
                for request in try store.allValues(.request) {
                    transaction.put(StoreKey(.contact, item: request.item), request.bytes)
                    transaction.delete(StoreKey(.request, item: request.item))
                }
            }
            try store.commit(transaction)
            Self.say("\(number)")
        }
    }

    /// Returns the text that a transaction stores. Every fiftieth text is longer than a page.
    static func text(_ number: UInt64) -> [UInt8] {
        let times = number % 50 == 0 ? 1_000 : 1 + Int(number % 20)
        return Array("\(number) \(String(repeating: canary, count: times))".utf8)
    }

    /// Changes the secret of the vault again and again, between a key file and a passphrase.
    func changeSecret() throws {
        let lock = try ProfileLock.acquire(in: folder)
        defer { withExtendedLifetime(lock) {} }
        let store = try openOrCreate()
        var number = 0
        while true {
            number += 1
            try store.changeSecret(to: number % 2 == 0 ? .keyFile : .passphrase("passphrase"), cost: .cheap)
            Self.say("\(number)")
        }
    }

    private func openOrCreate() throws(KithError) -> VaultStore {
        do { return try VaultStore.open(in: folder, .keyFile) } catch .noProfile {
            return try VaultStore.create(in: folder, .keyFile)
        }
    }

    // This is one write, so a line is either complete or absent.
    private static func say(_ text: String) {
        let line = Array((text + "\n").utf8)
        Glibc.write(1, line, line.count)
    }
}
