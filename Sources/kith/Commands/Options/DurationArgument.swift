import ArgumentParser

/// A duration on the command line: `90s`, `30m`, `12h` or `7d`. Only 0 needs no unit.
struct DurationArgument: ExpressibleByArgument, Hashable, Sendable, CustomStringConvertible {
    let seconds: UInt64

    /// The longest duration: a century, in seconds. Nothing in Kith lasts longer. The sum of a century and a date does not
    /// overflow.
    private static let longest: UInt64 = 100 * 366 * 86_400
    private static let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]

    init(seconds: UInt64) { self.seconds = seconds }

    init?(argument: String) {
        guard argument != "0" else {
            seconds = 0
            return
        }
        let digits = argument.dropLast()
        guard let unit = argument.last.flatMap({ Self.units[$0] }), !digits.isEmpty,
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let count = UInt64(digits)
        else { return nil }
        let (seconds, overflows) = count.multipliedReportingOverflow(by: unit)
        guard !overflows, seconds <= Self.longest else { return nil }
        self.seconds = seconds
    }

    var description: String {
        for (letter, unit) in Self.units.sorted(by: { $0.value > $1.value }) where seconds > 0 && seconds % unit == 0 {
            return "\(seconds / unit)\(letter)"
        }
        return "\(seconds)s"
    }

    var duration: Duration { .seconds(Int64(seconds)) }
}
