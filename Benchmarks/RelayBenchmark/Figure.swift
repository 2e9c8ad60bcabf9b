import Foundation

/// One measured value.
struct Figure: Encodable, Sendable {
    let scenario: String
    let subject: String
    let name: String
    let value: Double
    let unit: String
    var bar: Bar?
    /// The values of all rounds, if ``value`` is their median.
    var rounds: [Double]?

    /// The limit that the value has to meet.
    enum Bar: Sendable {
        case atLeast(Double)
        case atMost(Double)

        func holds(for value: Double) -> Bool {
            switch self {
            case .atLeast(let limit): value >= limit
            case .atMost(let limit): value <= limit
            }
        }
    }

    /// The value and its bar, if it has one, in one line.
    var line: String {
        let label = "\(subject): \(name)".padding(toLength: 62, withPad: " ", startingAt: 0)
        let number = Self.text(value)
        let padding = String(repeating: " ", count: max(0, 12 - number.count))
        var line = "\(label)\(padding)\(number) \(unit)"
        if let rounds, rounds.count > 1, let least = rounds.min(), let most = rounds.max() {
            line += "  (\(Self.text(least)) to \(Self.text(most)))"
        }
        if let bar {
            let limit =
                switch bar {
                case .atLeast(let limit): "at least \(Self.text(limit))"
                case .atMost(let limit): "at most \(Self.text(limit))"
                }
            line += "  \(bar.holds(for: value) ? "holds" : "MISSES"): \(limit)"
        }
        return line
    }

    private static func text(_ value: Double) -> String {
        switch abs(value) {
        case 0: "0"
        case 1000...: String(Int(value.rounded()))
        case 10...: String(format: "%.1f", value)
        default: String(format: "%.2f", value)
        }
    }

    private enum CodingKeys: CodingKey {
        case scenario, subject, name, value, unit, atLeast, atMost, holds, rounds
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(scenario, forKey: .scenario)
        try container.encode(subject, forKey: .subject)
        try container.encode(name, forKey: .name)
        try container.encode(value, forKey: .value)
        try container.encode(unit, forKey: .unit)
        try container.encodeIfPresent(rounds, forKey: .rounds)
        switch bar {
        case .atLeast(let limit): try container.encode(limit, forKey: .atLeast)
        case .atMost(let limit): try container.encode(limit, forKey: .atMost)
        case nil: break
        }
        try container.encodeIfPresent(bar?.holds(for: value), forKey: .holds)
    }
}

/// The machine that the figures were measured on.
struct Machine: Encodable {
    var date = Date().ISO8601Format()
    var cores = ProcessInfo.processInfo.activeProcessorCount
    var system = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8))?.trimmed ?? ""
    var processor =
        (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?
        .split(separator: "\n").first { $0.hasPrefix("model name") }?
        .split(separator: ":").last.map { String($0).trimmed } ?? ""
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}

extension Array where Element: Comparable {
    /// The value that the given share of the values does not exceed (nearest rank).
    func quantile(_ share: Double) -> Element? {
        guard !isEmpty else { return nil }
        let rank = Int((share * Double(count)).rounded(.up))
        return sorted()[Swift.min(Swift.max(rank, 1), count) - 1]
    }
}

extension [Double] {
    var median: Double {
        let sorted = self.sorted()
        guard !isEmpty else { return .nan }
        return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2
    }
}
