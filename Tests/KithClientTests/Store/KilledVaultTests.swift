import Foundation
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A process that is killed while it works on a vault", .serialized)
struct KilledVaultTests {
    private let canary = "the canary sings at midnight"

    @Test("keeps every committed transaction whole, and leaves no text in the clear")
    func writer() throws {
        let folder = VaultFolder()
        var total: UInt64 = 0
        for round in 0..<12 {
            let child = try Child("--write-until-killed", folder)
            // Half of the processes are killed at work, on any machine; the others perhaps while they begin.
            let first = round.isMultiple(of: 2) ? try child.line() : nil
            let line = try child.killAfter(milliseconds: .random(in: 30...300)) ?? first
            let acknowledged = UInt64(line ?? "") ?? 0
            total = max(total, acknowledged)
            // Killed before it had made a file.
            guard FileManager.default.fileExists(atPath: folder.url.path) else { continue }
            for (name, content) in try folder.contents() {
                #expect(Data(content).range(of: Data(canary.utf8)) == nil, "\(name)")
            }
            for (name, mode) in try folder.permissions() { #expect(mode == (name == "." ? 0o700 : 0o600), "\(name)") }
            // Killed before there was a vault.
            guard FileManager.default.fileExists(atPath: folder.vault.path) else { continue }
            let store = try folder.open(.keyFile)
            for (name, content) in try folder.contents() where name != "vault.key" {
                #expect(Data(content).range(of: Data(store.key.bytes.copyBytes())) == nil, "\(name)")
            }
            let last = UInt64(try store.text(.profile, item: 1) ?? "0") ?? 0
            #expect(last >= acknowledged, "round \(round)")
            try expectExactly(last, in: store, "round \(round)")
            try store.close()
        }
        #expect(total > 0, "the writer never came to write")
    }

    private func expectExactly(_ last: UInt64, in store: VaultStore, _ comment: Comment) throws {
        let entries = try store.allValues(.entry)
        #expect(entries.map(\.item).sorted() == (last == 0 ? [] : Array(1...last)), comment)
        #expect(entries.allSatisfy { $0.owner == $0.item % 7 && $0.bytes == text($0.item) }, comment)
        let records = try store.allValues(.record)
        #expect(records.count == min(7, Int(last)), comment)
        for record in records {
            // The last number of this owner.
            let number = last - (last + 7 - record.owner) % 7
            #expect(record.bytes == text(number), comment)
        }
        let outbox = try store.allValues(.outbox)
        #expect(outbox == (last == 0 ? [] : [StoredValue(owner: 0, item: last, bytes: text(last))]), comment)
    }

    /// The value that the process stores under a number.
    private func text(_ number: UInt64) -> [UInt8] {
        let times = number % 50 == 0 ? 1_000 : 1 + Int(number % 20)
        return Array("\(number) \(String(repeating: canary, count: times))".utf8)
    }

    @Test("leaves a vault that either the old or the new secret opens while it changes the secret")
    func changingSecret() throws {
        let folder = VaultFolder()
        var changes = 0
        for round in 0..<10 {
            let child = try Child("--change-secret-until-killed", folder)
            let first = round.isMultiple(of: 2) ? try child.line() : nil
            let last = try child.killAfter(milliseconds: .random(in: 30...300)) ?? first
            changes += Int(last ?? "") ?? 0
            guard FileManager.default.fileExists(atPath: folder.vault.path) else { continue }
            let withKeyFile = Result { try folder.open(.keyFile) }
            let withPassphrase = Result { try folder.open(.passphrase("passphrase")) }
            #expect((try? withKeyFile.get()) != nil || (try? withPassphrase.get()) != nil, "round \(round)")
            // The next round begins with the key file.
            if let store = try? withPassphrase.get() {
                try store.changeSecret(to: .keyFile, cost: .cheap)
                try store.close()
            }
        }
        #expect(changes > 0, "it never came to change anything")
    }

    @Test("has the profile's lock, names itself in it, and releases it by dying")
    func lock() throws {
        let folder = VaultFolder()
        let child = try Child("--write-until-killed", folder)
        try #require(try child.line() != nil)
        #expect(throws: KithError.inUse(pid: child.pid)) { _ = try ProfileLock.acquire(in: folder.url) }
        _ = try child.killAfter(milliseconds: 0)
        let lock = try ProfileLock.acquire(in: folder.url)
        let second = try Child("--write-until-killed", folder)
        #expect(try second.line() == nil, "a second process took the profile")
        withExtendedLifetime(lock) {}
    }

    @Test("can be read from by another process, which sees whole transactions only and stores requests")
    func reader() throws {
        let folder = VaultFolder()
        let child = try Child("--write-until-killed", folder)
        try #require(try child.line() != nil)
        let reader = try folder.open(.keyFile, isReadOnly: true)
        var seen: UInt64 = 0
        for round in 0..<40 {
            try reader.atOneMoment { () throws(KithError) in
                do throws(StoreError) {
                    let last = UInt64(try reader.text(.profile, item: 1) ?? "0") ?? 0
                    let outbox = try reader.allValues(.outbox).map(\.item)
                    let count = try reader.allValues(.entry).count
                    #expect(outbox == [last] && count == Int(last) && last >= seen, "round \(round)")
                    seen = last
                } catch { throw .store(error) }
            }
            #expect(try reader.enqueueForOwner(Array("request \(round)".utf8)) == UInt64(round + 1))
        }
        // The process is at work as long as it prints.
        while try reader.allValues(.contact).count < 40, try child.line() != nil {}
        _ = try child.killAfter(milliseconds: 0)
        let done = try reader.allValues(.contact)
        #expect(done.map(\.item) == Array(1...40))
        #expect(done.map { String(decoding: $0.bytes, as: UTF8.self) } == (0..<40).map { "request \($0)" })
        #expect(try reader.allValues(.request).isEmpty)
        #expect(try UInt64(reader.text(.profile, item: 1) ?? "") ?? 0 > seen)
    }
}

/// A process that works on a vault and prints a line after each step.
private final class Child {
    private let process = Process()
    private let output = Pipe()
    private var pending: [UInt8] = []

    /// The program, which is built with the tests.
    init(_ role: String, _ folder: VaultFolder) throws {
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("ClientBenchmark")
        try #require(FileManager.default.isExecutableFile(atPath: program.path))
        process.executableURL = program
        process.arguments = [role, folder.url.path]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var pid: Int32 { process.processIdentifier }

    /// The next line of the process; `nil` when it has ended.
    func line() throws -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                defer { pending.removeFirst(end + 1) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { return nil }
            pending += more
        }
    }

    /// Kills the process, and returns the last whole line that it printed.
    func killAfter(milliseconds: UInt32) throws -> String? {
        let pid = process.processIdentifier
        let killer = Thread {
            // The kill comes at any moment. What is written by then is the test's result, not its condition.
            usleep(milliseconds * 1_000)
            kill(pid, SIGKILL)
        }
        killer.start()
        var last: String?
        while let line = try line() { last = line }
        process.waitUntilExit()
        return last
    }
}
