import Foundation
import Glibc
import KithClient

/// Measures a vault without a client. The values are as long as the values that messages cause.
struct VaultBenchmark {
    let conversations: UInt64
    let messages: UInt64
    let transactions: Int
    let workshop: Workshop
    let report: Report

    func run() throws {
        let floor = try measureFloor()
        let small = try fill("small", 10, 1)
        let large = try fill("large", messages, conversations)
        let few = try measureCommits(small, "small vault", MessageLoad(among: 1, next: next(10, 1)), floor)
        let words = "\(messages.formatted()) messages"
        let begin = next(messages, conversations)
        let many = try measureCommits(large, words, MessageLoad(among: 1, next: begin), floor)
        report.add("\(words), one conversation in use : small vault, bytes", many / few, "", .atMost(1.1))
        _ = try measureCommits(
            large, "\(words), all in use", MessageLoad(among: conversations, next: begin), floor)
        try small.close()
        try large.close()
        try measureOpening()
        try measureReading()
    }

    // MARK: Writing

    /// Measures the least time that a transaction can take: one write and `fdatasync` on the same disk. Returns the p50 in
    /// milliseconds.
    private func measureFloor() throws -> Double {
        let descriptor = open(workshop.folder("floor").path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        defer { close(descriptor) }
        let page = [UInt8](repeating: 1, count: 4096)
        var appends = Durations()
        for _ in 0..<transactions {
            appends.measure {
                write(descriptor, page, page.count)
                fdatasync(descriptor)
            }
        }
        let p50 = appends.milliseconds(at: 0.5)
        report.add("floor: 4 KiB appended and fdatasync, p50", p50, "ms")
        return p50
    }

    /// Returns the item number after which each conversation's new messages are stored, in a vault with `count` messages in
    /// total.
    private func next(_ count: UInt64, _ conversations: UInt64) -> UInt64 {
        count / conversations + UInt64(transactions) * 2
    }

    /// Measures transactions. Returns the number of bytes that one transaction writes.
    private func measureCommits(
        _ store: VaultStore, _ words: String, _ load: MessageLoad, _ floor: Double
    ) throws -> Double {
        var load = load
        // After these commits, the write-ahead log has its full length and is reused, as in any vault that has been open for a
        // while.
        for _ in 0..<300 { try store.commit(load.next()) }
        var commits = Durations()
        let before = try bytesWritten()
        for _ in 0..<transactions { try commits.measure { try store.commit(load.next()) } }
        let bytes = Double(try bytesWritten() - before) / Double(transactions)
        report.add("\(words): transactions of 4 puts", commits.perSecond, "/s")
        report.add("\(words): one, p50", commits.milliseconds(at: 0.5), "ms")
        report.add("\(words): one, p99", commits.milliseconds(at: 0.99), "ms")
        report.add("\(words): p50 : floor", commits.milliseconds(at: 0.5) / floor, "")
        report.add("\(words): bytes of one", bytes, "bytes")
        return bytes
    }

    private func fill(_ name: String, _ count: UInt64, _ conversations: UInt64) throws -> VaultStore {
        let store = try VaultStore.create(in: workshop.folder(name), .keyFile)
        var transaction = StoreTransaction()
        for number in 0..<conversations {
            transaction.put(StoreKey(.conversation, item: number), MessageLoad.bytes(600))
            transaction.put(StoreKey(.contact, item: number), MessageLoad.bytes(200))
            transaction.put(StoreKey(.epoch, owner: number, item: 0), MessageLoad.bytes(4_000))
            for item in 0..<6 as Range<UInt64> {
                transaction.put(StoreKey(.record, owner: number, item: item), MessageLoad.bytes(200))
            }
        }
        // The messages are stored in the order of their arrival, and the conversations take turns.
        for number in 0..<count {
            let key = StoreKey(.entry, owner: number % conversations, item: number / conversations)
            transaction.put(key, MessageLoad.message())
            if number % 1_000 == 999 {
                try store.commit(transaction)
                transaction = StoreTransaction()
            }
        }
        try store.commit(transaction)
        return store
    }

    // MARK: Reading

    private func measureOpening() throws {
        let tables: [StoreTable] = [
            .profile, .relay, .contact, .conversation, .epoch, .record, .pendingCommit, .outbox, .inbox, .delivery,
            .request,
        ]
        var openings = Durations()
        for _ in 0..<10 {
            try openings.measure {
                let store = try VaultStore.open(in: workshop.folder("large"), .keyFile)
                for table in tables { _ = try store.allValues(table) }
                try store.close()
            }
        }
        report.add(
            "large vault: open, read all but messages, close; p50", openings.milliseconds(at: 0.5), "ms", .atMost(150))
    }

    private func measureReading() throws {
        let store = try VaultStore.open(in: workshop.folder("large"), .keyFile)
        var pages = Durations()
        for _ in 0..<1_000 {
            let owner = UInt64.random(in: 0..<conversations)
            let page = try pages.measure {
                try store.values(.entry, owner: owner, items: 0...StoreKey.highest, limit: 50, newestFirst: true)
            }
            guard page.count == min(50, Int(messages / conversations)) else { throw CocoaError(.fileReadCorruptFile) }
        }
        report.add("page of 50 messages, p50", pages.milliseconds(at: 0.5), "ms")
        var searches = Durations()
        let words = Array("sings at midnight".utf8)
        for _ in 0..<3 {
            let found = try searches.measure {
                var found = 0
                for owner in 0..<conversations {
                    let values = try store.values(
                        .entry, owner: owner, items: 0...StoreKey.highest, limit: .max, newestFirst: true)
                    for value in values where contains(value.bytes, words) { found += 1 }
                }
                return found
            }
            guard found == 0 else { throw CocoaError(.fileReadCorruptFile) }
        }
        report.add(
            "looking for words in \(messages.formatted()) messages", searches.milliseconds(at: 0.5), "ms",
            .atMost(1_000)
        )
        try store.close()
    }
}

private func contains(_ bytes: [UInt8], _ words: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { bytes in
        words.withUnsafeBytes { words in
            (0..<max(0, bytes.count - words.count + 1)).contains { start in
                bytes[start] == words[0] && (1..<words.count).allSatisfy { bytes[start + $0] == words[$0] }
            }
        }
    }
}

/// Makes transactions of the size that one message causes.
struct MessageLoad {
    let conversations: UInt64
    /// The item number of the last stored entry.
    private var item: UInt64
    private var previous: StoreKey?

    init(among conversations: UInt64, next: UInt64) {
        self.conversations = conversations
        item = next
    }

    /// Returns the transaction for a message in a random conversation. The transaction changes the conversation and one ratchet
    /// record, and adds an entry. It also adds an entry to the outbox, and deletes the previous one there.
    mutating func next() -> StoreTransaction {
        let owner = UInt64.random(in: 0..<conversations)
        item += 1
        var transaction = StoreTransaction()
        transaction.put(StoreKey(.conversation, item: owner), Self.bytes(600))
        transaction.put(StoreKey(.record, owner: owner, item: 3), Self.bytes(200))
        transaction.put(StoreKey(.entry, owner: owner, item: item), Self.message())
        let key = StoreKey(.outbox, owner: owner, item: item)
        transaction.put(key, Self.bytes(700))
        if let previous { transaction.delete(previous) }
        previous = key
        return transaction
    }

    static func message() -> [UInt8] { bytes(.random(in: 300...500)) }

    static func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: .random(in: 0...255), count: count) }
}
