import KithWire

/// The notices of a conversation that come again and again: they are told once and counted.
struct RepeatedNotices {
    /// Lines that count entries which could not be read. Others begin once something else was shown.
    private var lines: [Kind: PassedOver] = [:]
    /// Recent count of each kind of warning.
    private var warned: [UInt8: Repeats] = [:]

    private struct Kind: Hashable {
        let reason: UnreadableReason
        let from: String?
    }

    /// Counts an entry that could not be read. As long as nothing else is shown, those of one kind are one line, at the first of
    /// them.
    ///
    /// - Returns: the line, which is to be told of if its count is 1, 10, 100 and so on.
    mutating func count(
        _ record: EntryRecord, at seq: UInt64, _ reason: UnreadableReason, from: String?
    ) -> PassedOver {
        let kind = Kind(reason: reason, from: from)
        if lines[kind] == nil, lines.count >= ClientLimits.kindsPassedOver { lines = [:] }
        var line = lines[kind] ?? PassedOver(seq: seq, record: record, count: 0)
        line.count += 1
        line.record.body = .notices([.unreadable(reason, from: from, count: line.count)])
        lines[kind] = line
        return line
    }

    /// Something else was shown.
    mutating func didShow() { lines = [:] }

    /// Counts a warning.
    ///
    /// - Returns: the count, if it is to be told. A difference between logs is told each time: it stops what is sent until the user
    ///   goes on.
    mutating func times(_ warning: Warning, at now: UInt64) -> Int? {
        switch warning {
        case .differentLogs, .longerThanRelayTakes: 1
        default: warned[warning.encoded.first ?? 0, default: Repeats()].next(at: now)
        }
    }
}

/// A line that counts entries of one kind which could not be read.
struct PassedOver {
    /// The first of them, which has the line.
    let seq: UInt64
    var record: EntryRecord
    var count: Int

    var isToBeTold: Bool { count.isPowerOfTen }
}

/// Repeats of a notice that follow one another within ten minutes.
package struct Repeats: Sendable {
    private var count = 0
    private var last: UInt64 = 0

    package init() {}

    /// Counts one more.
    ///
    /// - Parameters:
    ///   - now: milliseconds by any clock.
    ///   - each: the number of those that are told one by one.
    /// - Returns: the count, if it is to be told: of the first, the tenth, the hundredth, and so on.
    package mutating func next(at now: UInt64, each: Int = 1) -> Int? {
        let isRepeat = last <= now && now < last.plus(ClientLimits.repeatMs)
        count = isRepeat ? count + 1 : 1
        last = now
        return count <= each || count.isPowerOfTen ? count : nil
    }
}

extension Int {
    /// Whether it is 1, 10, 100 and so on.
    fileprivate var isPowerOfTen: Bool {
        var rest = self
        while rest >= 10, rest % 10 == 0 { rest /= 10 }
        return rest == 1
    }
}
