import Foundation
import Glibc
import KithClient
import KithCore
import KithRelay
import KithWire
import NIOPosix

/// Measures the transfer of one file between two people. The clients and the relay store their data on the disk. All of them
/// run in this process.
struct FileBenchmark {
    let mebibytes: Int
    let rounds: Int
    let workshop: Workshop
    let report: Report

    private static let piece = 4 << 20
    private static let attachments: UInt64 = 10_000

    func run() async throws {
        let file = workshop.folder("file.bin")
        let floor = try write(file)
        report.add("floor: a file written, with fdatasync every 4 MiB", floor, "MiB/s")
        let folder = workshop.folder("file relay")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var configuration = RelayConfiguration()
        configuration.limits.blobs.addressMiBPerDay = 1 << 30
        let identity = try RelayIdentity.kept(in: folder)
        let store = try SQLiteStore(
            folder: folder.path, eventLoop: MultiThreadedEventLoopGroup(numberOfThreads: 1).next())
        let server = try await RelayServer.start(
            configuration, identity: identity, store: store, blobs: try FileBlobStore(folder: folder.path))
        do {
            let tls = try await TLSFloor(mebibytes: mebibytes, identity: identity).run()
            report.add("floor: TLS alone, one connection", tls, "MiB/s")
            try await transfer(file, at: server, min(tls / 2, floor))
        } catch {
            await server.shutDown()
            throw error
        }
        await server.shutDown()
    }

    /// Writes the file that is sent. Returns the throughput in MiB per second.
    private func write(_ file: URL) throws -> Double {
        let descriptor = open(file.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        defer { close(descriptor) }
        var generator = SystemRandomNumberGenerator()
        var words = [UInt64](repeating: 0, count: Self.piece / 8)
        for index in words.indices { words[index] = generator.next() }
        let start = ContinuousClock.now
        for number in 0..<mebibytes / 4 {
            // No two pieces are equal.
            words[0] = UInt64(number)
            let count = words.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count == Self.piece else { throw CocoaError(.fileWriteOutOfSpace) }
            fdatasync(descriptor)
        }
        return Double(mebibytes) / (ContinuousClock.now - start).seconds
    }

    private func transfer(_ file: URL, at server: RelayServer, _ floor: Double) async throws {
        guard let address = RelayAddress(host: server.host, port: server.port) else { return }
        let relay = RelayPoint(address: address, pin: server.pin)
        let alice = try await Profile.create(
            in: workshop.folder("sender"), name: "alice", deviceName: "benchmark", secret: .keyFile)
        let bob = try await Profile.create(
            in: workshop.folder("recipient"), name: "bob", deviceName: "benchmark", secret: .keyFile)
        let invite = try await alice.createInvite(at: relay).invite
        let toAlice = try await bob.join(invite)
        try await bob.files.setAutoDownload(upTo: 0)
        var toBob: ConversationID?
        while toBob == nil {
            toBob = try await alice.conversations().first { $0.status == .active }?.id
            try await Task.sleep(for: .milliseconds(5))
        }
        guard let toBob else { return }
        let idle = try await textDelay(alice, toBob, bob, toAlice, "idle")
        let start = ContinuousClock.now
        try await alice.files.send([.file(file)], to: toBob)
        let busy = try await textDelay(alice, toBob, bob, toAlice, "busy")
        var seq: UInt64?
        while seq == nil {
            seq = try await bob.files.list(in: toAlice).first?.message.seq
            try await Task.sleep(for: .milliseconds(5))
        }
        let sent = Double(mebibytes) / (ContinuousClock.now - start).seconds
        let received = ContinuousClock.now
        try await bob.files.fetch(1, of: seq ?? 0, in: toAlice)
        let fetched = Double(mebibytes) / (ContinuousClock.now - received).seconds
        report.add("a file sent, durable at the relay", sent, "MiB/s")
        report.add("a file received, durable on the device", fetched, "MiB/s")
        report.add(
            "a file sent : the lower of half of TLS alone and a file written", sent / floor, "", .atLeast(0.7))
        report.add("a text on an idle relay, p50", idle, "ms")
        report.add("a text beside a file, p50", busy, "ms")
        report.add("a text beside a file : on an idle relay, p50", busy / idle, "", .atMost(2))
        await alice.close()
        await bob.close()
        let before = try await measureOpening()
        try addFiles()
        report.add(
            "opening a profile with \(Self.attachments.formatted()) files : with one, p50",
            try await measureOpening() / before,
            "", .atMost(1.1))
    }

    /// Returns the p50 of the time that opening the recipient's profile takes, in milliseconds.
    private func measureOpening() async throws -> Double {
        var openings = Durations()
        for _ in 0..<20 {
            let start = ContinuousClock.now
            let profile = try await Profile.open(in: workshop.folder("recipient"), secret: .keyFile)
            _ = try await profile.conversations()
            openings.add(ContinuousClock.now - start)
            await profile.close()
        }
        return openings.milliseconds(at: 0.5)
    }

    /// Adds files to the recipient's profile, as if each had been received.
    private func addFiles() throws {
        let folder = workshop.folder("recipient")
        let store = try VaultStore.open(in: folder, .keyFile)
        var transaction = StoreTransaction()
        for number in 1...Self.attachments {
            let id = TransferID(rawValue: number)
            // The value consists of a version and the number of the transfer.
            let value = [1] + withUnsafeBytes(of: number.bigEndian) { Array($0) }
            transaction.put(StoreKey(.file, owner: 1, item: number << 4), value)
            try Data([1]).write(to: folder.appendingPathComponent("files").appendingPathComponent(id.fileName))
        }
        try store.commit(transaction)
        try store.close()
    }

    /// Returns the p50 of the time from `send()` until the other side has the text, in milliseconds.
    private func textDelay(
        _ from: Profile, _ there: ConversationID, _ to: Profile, _ here: ConversationID, _ word: String
    ) async throws -> Double {
        let events = await to.events()
        var iterator = events.makeAsyncIterator()
        var delays = Durations()
        for round in 0..<rounds {
            let text = "\(word) \(round)"
            let start = ContinuousClock.now
            try await from.send(text, to: there)
            while let event = await iterator.next() {
                if case .message(let message) = event, message.conversation == here, message.text == text { break }
            }
            delays.add(ContinuousClock.now - start)
        }
        return delays.milliseconds(at: 0.5)
    }
}
