import Foundation

/// One measured value.
enum Figure {
    /// A rate per second, with the times of the commits or reads, if they were measured.
    case rate(Double, p50: Duration?, p99: Duration?, worst: Duration?, note: String = "")
    /// The time of the first run, and the best time.
    case time(Duration, best: Duration)
}

/// Prints figures as they arrive, or as JSON at the end.
final class Report {
    private let isJSON: Bool
    private var lines: [[String: Any]] = []

    init(isJSON: Bool) { self.isJSON = isJSON }

    func add(_ name: String, _ figure: Figure) {
        var line: [String: Any] = ["name": name]
        var text = name.padding(toLength: 62, withPad: " ", startingAt: 0)
        switch figure {
        case .rate(let rate, let p50, let p99, let worst, let note):
            line["per_second"] = rate.rounded()
            text += String(format: "%10.0f /s", rate)
            for (label, value) in [("p50", p50), ("p99", p99), ("worst", worst)] {
                guard let value else { continue }
                line["\(label)_ms"] = value.milliseconds
                text += String(format: "  \(label) %.2f ms", value.milliseconds)
            }
            if !note.isEmpty {
                line["note"] = note
                text += "  \(note)"
            }
        case .time(let first, let best):
            line["first_ms"] = first.milliseconds
            line["best_ms"] = best.milliseconds
            text += String(format: "%10.1f ms  best %.1f ms", first.milliseconds, best.milliseconds)
        }
        lines.append(line)
        if !isJSON { print(text) }
    }

    func finish() {
        guard isJSON,
            let data = try? JSONSerialization.data(withJSONObject: lines, options: [.prettyPrinted, .sortedKeys])
        else { return }
        print(String(decoding: data, as: UTF8.self))
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
    var milliseconds: Double { seconds * 1_000 }
}

/// Durations of many rounds.
struct Latencies {
    private var all: [Duration] = []

    mutating func add(_ duration: Duration) { all.append(duration) }

    func figure(count: Int, in total: Duration, note: String = "") -> Figure {
        let sorted = all.sorted()
        func at(_ share: Double) -> Duration? {
            sorted.isEmpty ? nil : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        }
        return .rate(Double(count) / total.seconds, p50: at(0.5), p99: at(0.99), worst: sorted.last, note: note)
    }
}

/// The rates of several subjects for the same operation. Each rate is measured several times, and the median is reported. The
/// ratio to the first subject's rate in the same turn is reported too.
struct Cost {
    private let thing: String
    private var subjects: [String] = []
    private var rates: [String: [Double]] = [:]

    init(_ thing: String) { self.thing = thing }

    mutating func add(_ figure: Figure, _ subject: String) {
        guard case .rate(let rate, _, _, _, _) = figure else { return }
        if rates[subject] == nil { subjects.append(subject) }
        rates[subject, default: []].append(rate)
    }

    func report(to report: Report) {
        let reference = subjects.first.flatMap { rates[$0] } ?? []
        for subject in subjects {
            let all = rates[subject] ?? []
            let sorted = all.sorted()
            let shares = zip(all, reference).map { $0 / $1 }.sorted()
            guard let lowest = sorted.first, let highest = sorted.last, !shares.isEmpty else { continue }
            report.add(
                "\(thing), \(subject)",
                .rate(
                    sorted[sorted.count / 2], p50: nil, p99: nil, worst: nil,
                    note: String(
                        format: "median of %d: %.0f to %.0f; %.2f x", sorted.count, lowest, highest,
                        shares[shares.count / 2])))
        }
    }
}
