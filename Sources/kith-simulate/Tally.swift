import Foundation
import KithSimulation

/// Adds up the results of schedules, and prints progress.
final class Tally {
    private let count: Int
    private let json: Bool
    private let profile: ProfileName
    private let begin = ContinuousClock.now
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var done = 0
    private(set) var failures = 0
    private var people = 0
    private var texts = 0
    private var crashes = 0
    private var relayCrashes = 0
    private var disconnects = 0
    private var lies = 0
    private var traces: UInt64 = 0

    init(count: Int, json: Bool, profile: ProfileName) {
        self.count = count
        self.json = json
        self.profile = profile
    }

    func add(_ report: SimulationReport) {
        done += 1
        people += report.clients
        texts += report.texts
        crashes += report.clientCrashes
        relayCrashes += report.relayCrashes
        disconnects += report.disconnects
        lies += report.lies
        // The sum is used because it does not depend on the order of the results.
        traces &+= report.trace
        for line in report.traceLines { print(line) }
        if json { print(line(report)) }
        if !report.violations.isEmpty {
            failures += 1
            clear()
            if !json { describe(report) }
        }
        if isTerminal, !json { progress() }
    }

    private func describe(_ report: SimulationReport) {
        print("seed \(report.seed) failed:")
        for violation in report.violations { print("  \(violation)") }
        print("  again: kith-simulate --profile \(profile.rawValue) --seeds \(report.seed) --trace")
    }

    private func line(_ report: SimulationReport) -> String {
        let fields: [String: Any] = [
            "seed": report.seed, "violations": report.violations, "trace": String(report.trace, radix: 16),
            "clients": report.clients, "operations": report.operations, "texts": report.texts,
            "clientCrashes": report.clientCrashes, "relayCrashes": report.relayCrashes,
            "disconnects": report.disconnects, "events": report.events, "lies": report.lies,
        ]
        let data = try? JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes])
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private func progress() {
        FileHandle.standardError.write(Data("\r\u{1b}[K\(done)/\(count) schedules, \(failures) failed".utf8))
    }

    private func clear() { if isTerminal, !json { FileHandle.standardError.write(Data("\r\u{1b}[K".utf8)) } }

    func finish() {
        clear()
        guard !json else { return }
        let seconds = Double((ContinuousClock.now - begin) / .milliseconds(1)) / 1000
        print(
            """
            \(done) schedules with \(people) people and \(texts) texts, \(crashes) crashes of clients and \(relayCrashes) of \
            relays, \(disconnects) lost connections: \(failures) failed, \(String(format: "%.1f", seconds)) s, \
            \(String(format: "%.1f", Double(done) / max(seconds, 0.001))) schedules per second, trace \
            \(String(traces, radix: 16))\(lies > 0 ? ", \(lies) lies judged" : "")
            """)
    }
}
