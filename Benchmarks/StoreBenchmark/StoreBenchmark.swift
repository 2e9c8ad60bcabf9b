import ArgumentParser
import Foundation
import KithRelay
import NIOPosix
import TestSupport

/// Measures the relay's store alone, beside plain SQLite in the same run.
@main
struct StoreBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "StoreBenchmark", abstract: "Durable appends, reads and starts of the relay's store.")

    @Option(help: "Entries of each append measurement.")
    var entries = 1_000_000

    @Option(help: "Channels of the large store.")
    var channels = 1_000_000

    @Option(help: "Where to make the stores: on the disk to be measured. Beside this program unless given.")
    var folder = programFolder

    @Option(help: "Measure only these: appends, peers, scale, starts.")
    var only: [Part] = Part.allCases

    @Option(help: .hidden)
    var writeUntilKilled: String?

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case appends, peers, scale, starts
    }

    mutating func run() async throws {
        if let store = writeUntilKilled { return try await UntilKilled(folder: store).run() }
        let workshop = try Workshop(in: folder)
        defer { workshop.remove() }
        let report = Report(isJSON: json)
        if only.contains(.appends) { try await measureAppends(workshop, report) }
        if only.contains(.peers) { try measurePeers(workshop, report) }
        if only.contains(.scale) || only.contains(.starts) { try await measureScale(workshop, report) }
        report.finish()
    }

    private func measureAppends(_ workshop: Workshop, _ report: Report) async throws {
        for batch in [1, 100, 1_000] {
            let store = try workshop.open("appends-\(batch)")
            let driver = try await Driver(store, channels: 10_000)
            let count = batch == 1 ? min(entries, 5_000) : batch == 100 ? entries / 2 : entries
            report.add("append, 10,000 channels, \(batch) a commit", await driver.append(count, batch: batch))
            await store.close()
        }
        let store = try workshop.open("adaptive")
        let driver = try await Driver(store, channels: 10_000)
        for inFlight in [64, 1_024, 8_192] {
            let count = inFlight == 64 ? entries / 10 : entries / 2
            report.add(
                "append, 10,000 channels, what has queued of \(inFlight) in flight",
                await driver.appendAdaptively(count, inFlight: inFlight))
        }
        await store.close()
    }

    private func measurePeers(_ workshop: Workshop, _ report: Report) throws {
        for peer in Peer.allCases {
            report.add("\(peer.rawValue), 1,000 a commit", try peer.measure(entries / 2, workshop))
        }
    }

    private func measureScale(_ workshop: Workshop, _ report: Report) async throws {
        report.add("open, no channels", try await openingTime("empty", workshop))
        let small = try workshop.open("small")
        let large = try workshop.open("large")
        let few = try await Driver(small, channels: 1_000)
        let many = try await Driver(large, channels: channels)
        let words = "\(channels.formatted()) channels"
        if only.contains(.scale) {
            let subjects: [(words: String, driver: Driver, among: Int?)] = [
                ("1,000 channels", few, nil), ("\(words), 1,000 in use", many, 1_000),
                ("\(words), all in use", many, nil),
            ]
            // The stores take turns, and each store is the first one once, so that other work of the machine affects all of
            // them. A turn is long enough that most work that an append has put off is done during later appends. The remaining
            // work is done before the next store is measured.
            var (appends, processor) = (Cost("append"), Cost("append, each CPU second"))
            var reads = Cost("read 20 entries")
            for turn in subjects.indices {
                for subject in subjects[turn...] + subjects[..<turn] {
                    try await settle()
                    let (figure, perProcessorSecond) = await subject.driver.appendAndCount(
                        entries / 2, batch: 1_000, among: subject.among)
                    appends.add(figure, subject.words)
                    processor.add(perProcessorSecond, subject.words)
                    try await settle()
                    reads.add(await subject.driver.read(5_000, among: subject.among), subject.words)
                }
            }
            appends.report(to: report)
            processor.report(to: report)
            reads.report(to: report)
        }
        await small.close()
        if only.contains(.starts) {
            _ = await many.append(100_000, batch: 1_000)
            // The log does not change meanwhile, so the copies are in a state that a crash could have left. As after a power
            // cut, a fresh copy is not in the system's cache. After a kill, the files are in the cache.
            let (cut, killed) = try await many.whileStoreWaits {
                (try workshop.copy("large", to: "cut"), try workshop.copy("large", to: "killed"))
            }
            report.add("open, \(words), after a power cut", try await openingTime(cut, workshop))
            try workshop.readThrough(killed)
            report.add("open, \(words), after a kill", try await openingTime(killed, workshop))
        }
        await large.close()
        if only.contains(.starts) { report.add("open, \(words)", try await openingTime("large", workshop)) }
    }

    /// Lets the stores do the work that waits for a quiet moment.
    private func settle() async throws { try await Task.sleep(for: .seconds(1)) }

    private func openingTime(_ name: String, _ workshop: Workshop) async throws -> Figure {
        var times: [Duration] = []
        for _ in 0..<3 {
            let start = ContinuousClock.now
            let store = try workshop.open(name)
            times.append(ContinuousClock.now - start)
            await store.close()
        }
        return .time(times[0], best: times.min() ?? times[0])
    }
}
