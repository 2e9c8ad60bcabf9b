import KithWire

/// The items that this device sends in a conversation, in order. An item stays in the outbox until the log has the item.
struct Outbox {
    private let conversation: ConversationID
    private var waiting: [(number: UInt64, item: OutboxItem)] = []

    init(of conversation: ConversationID) { self.conversation = conversation }

    // MARK: Reading

    var isEmpty: Bool { waiting.isEmpty }

    var items: [OutboxItem] { waiting.map(\.item) }

    func item(_ id: EntryID) -> OutboxItem? { waiting.first { $0.item.entryID == id }?.item }

    func contains(_ isMeant: (OutboxItem) -> Bool) -> Bool { waiting.contains { isMeant($0.item) } }

    /// Returns the beginning of the texts in the outbox. Texts that expire are left out, because at the recipient this
    /// beginning does not expire.
    ///
    /// - Parameter timer: the conversation's timer.
    func firstLines(timer: UInt32?) -> FirstLines {
        let setsTimer = contains { if case .content(.timer(_?)) = $0.body { true } else { false } }
        guard timer == nil, !setsTimer else { return .none }
        return FirstLines(
            items.compactMap { item in
                if case .content(.text(let text)) = item.body, item.expiresAfter == nil { text.text } else { nil }
            })
    }

    // MARK: Changes

    /// Adds an item from the store.
    mutating func load(_ number: UInt64, _ item: OutboxItem) { waiting.append((number, item)) }

    /// Adds an item, and stores it.
    mutating func append(_ item: OutboxItem, as number: UInt64, in step: inout Step) {
        waiting.append((number, item))
        store(waiting.count - 1, in: &step)
    }

    /// Stores the ciphertext of an item.
    mutating func encrypted(_ id: EntryID, as attempt: OutboxItem.Attempt, in step: inout Step) {
        guard let index = waiting.firstIndex(where: { $0.item.entryID == id }) else { return }
        waiting[index].item.attempt = attempt
        waiting[index].item.mayBeInLog = true
        store(index, in: &step)
    }

    /// Drops all ciphertexts, because their epoch is over. The relay accepts no ciphertext of an earlier epoch.
    mutating func forgetAttempts(in step: inout Step) {
        for index in waiting.indices where waiting[index].item.attempt != nil {
            waiting[index].item.attempt = nil
            store(index, in: &step)
        }
    }

    /// Removes and returns an item that is in the log or will never be in it.
    mutating func remove(_ id: EntryID, in step: inout Step) -> OutboxItem? {
        guard let index = waiting.firstIndex(where: { $0.item.entryID == id }) else { return nil }
        let (number, item) = waiting.remove(at: index)
        step.delete(key(number))
        return item
    }

    /// Removes all items except the user's texts, files and changes of messages. Called when this device can no longer send in
    /// the conversation.
    mutating func keepTexts(in step: inout Step) {
        waiting = waiting.filter { entry in
            switch entry.item.body {
            case .content(.text), .content(.files), .content(.change): return true
            default: break
            }
            step.delete(key(entry.number))
            return false
        }
    }

    private func store(_ index: Int, in step: inout Step) {
        step.put(key(waiting[index].number), waiting[index].item.encoded)
    }

    private func key(_ number: UInt64) -> StoreKey { StoreKey(.outbox, owner: conversation.rawValue, item: number) }
}

/// Entries that the relay has acknowledged, but the log has not delivered yet.
struct Acknowledgements {
    private var places: [EntryID: Place] = [:]

    private struct Place {
        let seq: UInt64
        /// The time at which the relay acknowledged the entry, or at which the log was followed again, in milliseconds; see
        /// ``Clocks/now``.
        var at: UInt64
        var isAskedAgain = false
    }

    func contains(_ id: EntryID) -> Bool { places[id] != nil }

    /// The times at which the entries become overdue, in milliseconds; see ``Clocks/now``.
    var due: [UInt64] { places.values.map { $0.at + ClientLimits.keptMs } }

    mutating func add(_ id: EntryID, seq: UInt64, at now: UInt64) { places[id] = Place(seq: seq, at: now) }

    mutating func remove(_ id: EntryID) { places[id] = nil }

    mutating func removeAll() { places = [:] }

    /// Removes and returns the ids of the entries that the relay has acknowledged at a seq. Called when the log has reached the
    /// seq.
    ///
    /// - Returns: the ids that the entry at this seq should have, according to the relay.
    mutating func take(at seq: UInt64) -> [EntryID] {
        let ids = places.filter { $0.value.seq == seq }.keys
        for id in ids { places[id] = nil }
        return Array(ids)
    }

    /// Finds acknowledged entries that the log has not delivered within a minute. The first time that an entry is late, the log
    /// only has to be followed again, because a jump of the clock makes every entry seem late.
    ///
    /// - Returns: in `missing`, the seqs of entries that are still missing after the log was followed again; in `asksAnew`,
    ///   whether the log has to be followed again now.
    mutating func check(at now: UInt64, isLive: Bool) -> (missing: [UInt64], asksAnew: Bool) {
        let late = places.filter { $0.value.at + ClientLimits.keptMs <= now }.sorted { $0.value.seq < $1.value.seq }
        var missing: [UInt64] = []
        for (id, place) in late {
            if place.isAskedAgain, isLive {
                places[id] = nil
                missing.append(place.seq)
            } else {
                places[id] = Place(seq: place.seq, at: now, isAskedAgain: true)
            }
        }
        return (missing, late.contains { !$0.value.isAskedAgain })
    }
}
