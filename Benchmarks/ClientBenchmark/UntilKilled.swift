import Foundation
import Glibc
import KithClient

/// For the tests that kill this process: works on a vault and prints its progress after each commit.
///
/// Transaction n puts n under `profile` 1, a text of its own under `entry` n, the same ratchet record again, and replaces
/// `outbox` n - 1 by `outbox` n. Requests of other processes become contacts.
struct UntilKilled {
    /// A mark in all stored content.
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

    /// The value stored under a number; now and then it is larger than a page.
    static func text(_ number: UInt64) -> [UInt8] {
        let times = number % 50 == 0 ? 1_000 : 1 + Int(number % 20)
        return Array("\(number) \(String(repeating: canary, count: times))".utf8)
    }

    /// Changes the secret of the vault back and forth.
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

    // One write, so that a line is either complete or absent.
    private static func say(_ text: String) {
        let line = Array((text + "\n").utf8)
        Glibc.write(1, line, line.count)
    }
}
