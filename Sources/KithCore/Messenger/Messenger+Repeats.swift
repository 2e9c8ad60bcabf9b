import KithWire
import TLSCodec

// Notices that come again and again are told once and counted.

/// A line that counts entries of one kind which could not be read.
struct PassedOver {
    struct Kind: Hashable {
        let reason: UnreadableReason
        let from: String?
    }

    /// The first of them, which has the line.
    let seq: UInt64
    var record: EntryRecord
    var count: Int
}

extension Messenger {
    /// Notes an entry that could not be read. As long as nothing else is shown, those of one kind are one line, at the first of
    /// them. The row of each further one holds its hash and shows nothing.
    func notePassedOver(
        _ record: EntryRecord, _ reason: UnreadableReason, from: String?, in conversation: Conversation
    ) {
        guard let seq = conversation.record.view?.seq else { return }
        let kind = PassedOver.Kind(reason: reason, from: from)
        guard var line = conversation.passedOver[kind] else {
            if conversation.passedOver.count >= ClientLimits.kindsPassedOver { conversation.passedOver = [:] }
            var record = record
            record.body = .notices([.unreadable(reason, from: from)])
            let line = PassedOver(seq: seq, record: record, count: 1)
            conversation.passedOver[kind] = line
            store(line.record, seq: seq, of: conversation)
            return tell(line, conversation)
        }
        line.count += 1
        line.record.body = .notices([.unreadable(reason, from: from, count: line.count)])
        conversation.passedOver[kind] = line
        store(line.record, seq: line.seq, of: conversation)
        store(record, seq: seq, of: conversation)
        if line.count.isPowerOfTen { tell(line, conversation) }
    }

    private func tell(_ line: PassedOver, _ conversation: Conversation) {
        for message in messages(of: line.record, seq: line.seq, in: conversation) { tell(.message(message)) }
    }

    /// Tells of a warning. Others of its kind that follow within ten minutes are counted, and told for the tenth time, the
    /// hundredth, and so on. A difference between logs is told each time: it stops what is sent until the user goes on.
    func tell(_ warning: Warning, in conversation: Conversation) {
        if case .differentLogs = warning { return tell(.warning(conversation.id, warning, times: 1)) }
        if case .longerThanRelayTakes = warning { return tell(.warning(conversation.id, warning, times: 1)) }
        let kind = warning.encoded.first ?? 0
        guard let times = conversation.warned[kind, default: Repeats()].next(at: now) else { return }
        tell(.warning(conversation.id, warning, times: times))
    }
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
