import KithWire

/// Repeated notices of a conversation. Each kind is shown once, with a count.
struct RepeatedNotices {
    /// Lines that count unreadable entries. After another notice or a message has been shown, new lines begin.
    private var lines: [Kind: PassedOver] = [:]
    /// The recent repeats of each kind of warning.
    private var warned: [UInt8: Repeats] = [:]

    private struct Kind: Hashable {
        let reason: UnreadableReason
        let from: String?
    }

    /// Counts an unreadable entry. Until something else is shown, all entries of one kind share one line, at the position of
    /// the first of these entries.
    ///
    /// - Returns: the line, which is reported if its count is 1, 10, 100 and so on.
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

    /// Called after something else was shown. Later unreadable entries are counted in new lines.
    mutating func didShow() { lines = [:] }

    /// Counts a warning.
    ///
    /// - Returns: the count; `nil` if the warning is not reported. A warning about different logs is reported each time, because
    ///   nothing is sent after the warning until the user decides. Every warning about a message that is not sent is
    ///   reported.
    mutating func times(_ warning: Warning, at now: UInt64) -> Int? {
        switch warning {
        case .differentLogs, .longerThanRelayTakes, .notSentToBlocked: 1
        default: warned[warning.encoded.first ?? 0, default: Repeats()].next(at: now)
        }
    }
}

/// A line that counts unreadable entries of one kind.
struct PassedOver {
    /// The position of the line, which is the position of the first unreadable entry.
    let seq: UInt64
    var record: EntryRecord
    var count: Int

    var isToBeTold: Bool { count.isPowerOfTen }
}

/// Counts the repetitions of a notice, each within ten minutes of the previous one.
package struct Repeats: Sendable {
    private var count = 0
    private var last: UInt64 = 0

    package init() {}

    /// Counts a notice.
    ///
    /// - Parameters:
    ///   - now: the current time of any clock, in milliseconds.
    ///   - each: the number of first notices that are all reported.
    /// - Returns: the count; `nil` if the notice is not reported. After the first `each` notices, only the tenth, the hundredth
    ///   and so on are reported.
    package mutating func next(at now: UInt64, each: Int = 1) -> Int? {
        let isRepeat = last <= now && now < last.plus(ClientLimits.repeatMs)
        count = isRepeat ? count + 1 : 1
        last = now
        return count <= each || count.isPowerOfTen ? count : nil
    }
}

extension Int {
    /// Whether the number is 1, 10, 100 and so on.
    fileprivate var isPowerOfTen: Bool {
        var rest = self
        while rest >= 10, rest % 10 == 0 { rest /= 10 }
        return rest == 1
    }
}
