import Foundation

/// One measured number.
struct Measurement {
    let name: String
    let value: Double
    let unit: String
}

/// Measures closures by the clock. The fastest of several rounds counts, because other work on the machine only adds time.
struct Stopwatch {
    private(set) var measurements: [Measurement] = []

    static func seconds<T>(_ body: () throws -> T) rethrows -> (Double, T) {
        let clock = ContinuousClock()
        let start = clock.now
        let result = try body()
        let (seconds, attoseconds) = (clock.now - start).components
        return (Double(seconds) + Double(attoseconds) * 1e-18, result)
    }

    /// Measures one call in microseconds. The fastest of `rounds` rounds of `calls` calls counts.
    mutating func microseconds(
        _ name: String, rounds: Int = 7, calls: Int = 100, _ body: () throws -> Void
    ) rethrows -> Double {
        var best = Double.infinity
        for _ in 0..<rounds {
            let (seconds, _) = try Self.seconds { for _ in 0..<calls { try body() } }
            best = min(best, seconds / Double(calls))
        }
        return record(name, best * 1e6, "µs")
    }

    /// Measures one call in milliseconds. The fastest of `rounds` calls counts. Also reports the processor time of a call,
    /// summed over all cores. Other work on the machine hardly changes the processor time.
    @discardableResult
    mutating func milliseconds<T>(_ name: String, rounds: Int = 3, _ body: () throws -> T) rethrows -> T {
        var (best, bestProcessor) = (Double.infinity, Double.infinity)
        var result: T?
        for _ in 0..<max(rounds, 1) {
            let before = processorSeconds()
            let (seconds, next) = try Self.seconds(body)
            bestProcessor = min(bestProcessor, processorSeconds() - before)
            if seconds < best { (best, result) = (seconds, next) }
        }
        record(name, best * 1e3, "ms")
        record(name + ", processor", bestProcessor * 1e3, "ms")
        if let result { return result }
        return try body()
    }

    @discardableResult
    mutating func record(_ name: String, _ value: Double, _ unit: String) -> Double {
        measurements.append(Measurement(name: name, value: value, unit: unit))
        let padded = name.padding(toLength: 56, withPad: " ", startingAt: 0)
        print("\(padded) \(String(format: "%12.3f", value)) \(unit)")
        fflush(nil)
        return value
    }

    /// The measurements as one JSON object.
    var json: String {
        let values = Dictionary(measurements.map { ($0.name, $0.value) }) { _, last in last }
        let data = try? JSONSerialization.data(withJSONObject: values, options: [.sortedKeys])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}

/// The largest resident size of the process so far, in bytes.
func peakMemory() -> Double { memory("VmHWM") }

/// The resident size of the process, in bytes.
func residentMemory() -> Double { memory("VmRSS") }

/// The processor time that the process has used, in seconds.
private func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

private func memory(_ field: String) -> Double {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
    for line in status.split(separator: "\n") where line.hasPrefix(field) {
        let digits = line.filter(\.isNumber)
        return (Double(digits) ?? 0) * 1_024
    }
    return 0
}
