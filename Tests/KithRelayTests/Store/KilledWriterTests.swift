import Foundation
import KithWire
import TestSupport
import Testing

@testable import KithRelay

@Suite("A killed writer", .serialized)
struct KilledWriterTests {
    /// The writer's program, which is built together with the tests.
    private var program: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("StoreBenchmark")
    }

    @Test("a killed writer loses no committed entry and leaves no gap")
    func killed() async throws {
        try #require(FileManager.default.isExecutableFile(atPath: program.path))
        let folder = TemporaryFolder()
        var total: UInt64 = 0
        for round in 0..<10 {
            // Half of the writers are killed while they write, however slow the machine is, the others perhaps while
            // they start.
            let committed = try writeAndKill(
                folder, afterMs: UInt32.random(in: 50...400), onceItWrites: round % 4 < 2)
            // Recovery reads the whole log, or the rest after a sweep.
            let tuning = round % 2 == 0 ? StoreTuning() : .tight
            let store = try openStore(folder, tuning)
            for (index, seq) in committed.enumerated() {
                let id = try #require(ChannelID(Array(repeating: UInt8(index + 1), count: 32)))
                let head = try await store.head(of: id)
                let lastSeq = head?.lastSeq ?? 0
                #expect(lastSeq >= seq, "round \(round)")
                let entries = try await store.allEntries(of: id)
                #expect(entries.map(\.seq) == (lastSeq == 0 ? [] : Array(1...lastSeq)), "round \(round)")
                let payload = Array(repeating: UInt8(index), count: 300)[...]
                #expect(entries.allSatisfy { $0.payload == payload }, "round \(round)")
                total = max(total, seq)
            }
            await store.close()
        }
        #expect(total > 0, "the writer never came to write")
    }

    /// Runs and kills a writer. Returns the last line that it printed.
    private func writeAndKill(
        _ folder: TemporaryFolder, afterMs: UInt32, onceItWrites: Bool
    ) throws -> [UInt64] {
        let writer = Process()
        let output = Pipe()
        writer.executableURL = program
        writer.arguments = ["--write-until-killed", folder.path]
        writer.standardOutput = output
        try writer.run()
        var printed = onceItWrites ? output.fileHandleForReading.availableData : Data()
        let killer = Thread {
            // The kill comes at any moment. What is written by then is the test's result, not its condition.
            usleep(afterMs * 1_000)
            kill(writer.processIdentifier, SIGKILL)
        }
        killer.start()
        // Ends when the writer does.
        printed += output.fileHandleForReading.readDataToEndOfFile()
        writer.waitUntilExit()
        let lines = String(decoding: printed, as: UTF8.self).split(separator: "\n")
        return lines.last?.split(separator: " ").compactMap { UInt64($0) } ?? []
    }
}
