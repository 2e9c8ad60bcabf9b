import Foundation

/// One measured value.
struct Figure {
    let name: String
    let value: Double
    let unit: String
    /// The limit that the value has to meet; `nil` for none.
    var bar: Bar?
    /// Details of the measurement that the name does not contain.
    var note = ""

    enum Bar {
        case atMost(Double)
        case atLeast(Double)
    }
}

/// Prints figures as they arrive, or as JSON at the end.
final class Report {
    private let isJSON: Bool
    private var figures: [Figure] = []

    init(isJSON: Bool) { self.isJSON = isJSON }

    func add(_ name: String, _ value: Double, _ unit: String, _ bar: Figure.Bar? = nil, note: String = "") {
        let figure = Figure(name: name, value: value, unit: unit, bar: bar, note: note)
        figures.append(figure)
        guard !isJSON else { return }
        var text = name + String(repeating: " ", count: max(1, 66 - name.count))
        text += String(format: abs(value) >= 100 ? "%10.0f %@" : "%10.2f %@", value, unit)
        switch bar {
        case .atMost(let most): text += "  \(value <= most ? "holds" : "MISSES"): at most \(most.formatted())"
        case .atLeast(let least): text += "  \(value >= least ? "holds" : "MISSES"): at least \(least.formatted())"
        case nil: break
        }
        if !note.isEmpty { text += "  \(note)" }
        print(text)
    }

    func finish() {
        guard isJSON else { return }
        let lines = figures.map { figure -> [String: Any] in
            var line: [String: Any] = ["name": figure.name, "value": figure.value, "unit": figure.unit]
            switch figure.bar {
            case .atMost(let most): (line["atMost"], line["holds"]) = (most, figure.value <= most)
            case .atLeast(let least): (line["atLeast"], line["holds"]) = (least, figure.value >= least)
            case nil: break
            }
            if !figure.note.isEmpty { line["note"] = figure.note }
            return line
        }
        if let data = try? JSONSerialization.data(withJSONObject: lines, options: [.prettyPrinted, .sortedKeys]) {
            print(String(decoding: data, as: UTF8.self))
        }
    }
}

/// Durations of many rounds of the same operation.
struct Durations {
    private var all: [Duration] = []

    mutating func measure<R>(_ body: () throws -> R) rethrows -> R {
        let start = ContinuousClock.now
        defer { all.append(ContinuousClock.now - start) }
        return try body()
    }

    mutating func add(_ duration: Duration) { all.append(duration) }

    /// The duration that the given share of the durations does not exceed, in milliseconds.
    func milliseconds(at share: Double) -> Double {
        let sorted = all.sorted()
        guard !sorted.isEmpty else { return .nan }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))].milliseconds
    }

    /// The number of rounds per second of measured time.
    var perSecond: Double { Double(all.count) / all.reduce(Duration.zero, +).seconds }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
    var milliseconds: Double { seconds * 1_000 }
}
