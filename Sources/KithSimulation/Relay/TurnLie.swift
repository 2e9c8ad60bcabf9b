import KithWire

/// A relay's lie to one member about the entries directly before a turn. Until the turn arrives, the relay holds these entries
/// back from the member.
struct TurnLie: Sendable {
    enum Kind: CaseIterable, Sendable {
        /// The last two entries before the turn are shown in reverse order.
        case swap
        /// The last entry before the turn is replaced by noise with the same id.
        case replace
        /// The last entry before the turn is missing.
        case withhold
    }

    let kind: Kind
    /// The number of the deceived member.
    let victim: Int
    /// The number of the turn in its channel, at least 2. The first turn shows the relay that the channel belongs to a
    /// conversation. Before the first turn, the relay cannot plan a lie.
    let turn: Int

    /// Number of entries that the relay holds back; they are the last entries before the turn. The relay can lie about these
    /// entries.
    private static let held = 2

    /// Returns the log that the deceived member sees; `nil` to show the true log.
    ///
    /// - Parameter truth: all entries that were ever appended.
    func log(_ truth: [Entry]) -> [InventedEntry]? {
        let turns = truth.indices.filter { truth[$0].kind == .turn }
        guard turns.count >= turn - 1, turn >= 2 else { return nil }
        let begin = turns[turn - 2] + 1
        var shown = truth.map { InventedEntry(entry: $0, truth: $0.seq) }
        guard turns.count >= turn else {
            shown.removeLast(min(Self.held, truth.count - begin))
            return shown
        }
        guard didLie(truth) else { return nil }
        let last = turns[turn - 1] - 1
        switch kind {
        case .swap: shown.swapAt(last - 1, last)
        case .replace: shown[last].entry = truth[last].noise
        case .withhold: shown.remove(at: last)
        }
        return shown
    }

    /// Returns the turn before which the relay has lied; `nil` if the relay has not lied.
    func liedTurn(_ truth: [Entry]) -> Entry? {
        let turns = truth.filter { $0.kind == .turn }
        return turns.count >= turn && didLie(truth) ? turns[turn - 1] : nil
    }

    private func didLie(_ truth: [Entry]) -> Bool {
        let turns = truth.indices.filter { truth[$0].kind == .turn }
        return turns[turn - 1] - turns[turn - 2] - 1 >= (kind == .swap ? 2 : 1)
    }
}

extension Entry {
    /// The entry with a meaningless payload of the same length.
    fileprivate var noise: Entry {
        Entry(
            seq: seq, epoch: epoch, kind: kind, receivedAtMs: receivedAtMs, id: id,
            payload: payload.map { $0 ^ 0x5a }[...])
    }
}
