import Foundation
import Synchronization

/// The CPU time that the machine and the benchmark's processes have used so far. Two readings show the share of the machine
/// that other processes took during a measurement. If other processes use much of the machine, the figures say more about these
/// processes than about the relay. So each measurement waits for a quiet moment, and is repeated if it was disturbed.
struct MachineUse {
    private let at = ContinuousClock().now
    private let all: Double
    private let ours: Double

    /// Interrupt work is left out: most of it is the traffic of the benchmark, and it belongs to no process.
    init() throws {
        let line = try String(contentsOfFile: "/proc/stat", encoding: .utf8).prefix { $0 != "\n" }
        let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard ticks.count >= 8 else { throw ServerFailure("/proc/stat does not read as expected") }
        // proc(5): user, nice, system, idle, iowait, irq, softirq, steal.
        all = (ticks[0] + ticks[1] + ticks[2] + ticks[7]) / Double(sysconf(Int32(_SC_CLK_TCK)))
        var ended = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &ended)
        let endedSeconds = [ended.ru_utime, ended.ru_stime].reduce(0.0) { sum, time in
            sum + Double(time.tv_sec) + Double(time.tv_usec) / 1e6
        }
        let running = ChildProcess.running.withLock { Array($0) } + [getpid()]
        ours = endedSeconds + running.reduce(0.0) { $0 + ((try? ProcessUsage(of: $1).cpuSeconds) ?? 0) }
    }

    /// Returns the number of cores that other processes have used between two readings, on average.
    static func others(from before: MachineUse, to after: MachineUse) -> Double {
        let elapsed = after.at - before.at
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        return max(0, (after.all - before.all) - (after.ours - before.ours)) / seconds
    }
}

extension Bench {
    /// Maximum number of cores that other processes may use during a measurement, on average.
    private static let tolerable = 0.15
    /// Maximum number of attempts for one measurement.
    private static let attempts = 4

    /// Waits for a quiet moment, and then measures. If other processes disturbed the measurement, measures again, as long as
    /// the scenario's patience lasts. Returns the result of the least disturbed measurement.
    func undisturbed<Result: Sendable>(_ measure: () async throws -> Result) async throws -> Result {
        var best: (others: Double, result: Result)?
        for attempt in 0..<Self.attempts where attempt == 0 || hasPatience {
            try await waitForQuiet()
            let start = ContinuousClock().now
            let before = try MachineUse()
            let result = try await measure()
            let others = MachineUse.others(from: before, to: try MachineUse())
            if best.map({ others < $0.others }) ?? true { best = (others, result) }
            if others <= Self.tolerable { break }
            patience.withLock { $0 -= ContinuousClock().now - start }
        }
        guard let best else { throw ServerFailure("nothing was measured") }
        disturbances.withLock { $0.append(best.others) }
        return best.result
    }

    private var hasPatience: Bool { patience.withLock { $0 > .zero } }

    private func waitForQuiet() async throws {
        let step = Duration.milliseconds(500)
        while hasPatience {
            let before = try MachineUse()
            try await Task.sleep(for: step)
            if MachineUse.others(from: before, to: try MachineUse()) <= Self.tolerable { return }
            patience.withLock { $0 -= step }
        }
    }

    /// Reports how quiet the scenario's measurements were.
    func reportDisturbance(_ scenario: String) {
        let all = disturbances.withLock { values in
            defer { values = [] }
            return values
        }
        guard !all.isEmpty else { return }
        report(
            Figure(
                scenario: scenario, subject: "machine", name: "cores used by others meanwhile", value: all.median,
                unit: "", rounds: all))
    }
}
