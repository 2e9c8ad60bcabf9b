import KithWire

/// The texts that are to be erased after a while, with their times. Readers hide a text as soon as the device's clock says so; it is
/// erased when the relay's says so too.
struct ErasureSchedule {
    private var expiries: [EntryPlace: Expiry] = [:]

    // MARK: Reading

    subscript(_ place: EntryPlace) -> Expiry? { expiries[place] }

    /// The texts, by conversation and entry.
    var sorted: [(place: EntryPlace, expiry: Expiry)] {
        expiries.sorted { ($0.key.conversation, $0.key.seq) < ($1.key.conversation, $1.key.seq) }
            .map { ($0.key, $0.value) }
    }

    /// In how many milliseconds the next texts may be erased, as far as relays have said their times.
    ///
    /// - Parameter relay: the relay of a conversation.
    func delays(_ clocks: Clocks, relay: (ConversationID) -> RelayID?) -> [UInt64] {
        expiries.compactMap { place, expiry in Self.delay(expiry, clocks, relay(place.conversation)) }
    }

    /// In how many milliseconds a text may be erased; `nil` if no relay has said its time. What is left of a conversation that is
    /// gone goes at once.
    private static func delay(_ expiry: Expiry, _ clocks: Clocks, _ relay: RelayID?) -> UInt64? {
        guard let relay else { return 0 }
        return clocks.delay(untilOver: expiry.hideAt, orByRelay: expiry.eraseAt, relay: relay)
    }

    // MARK: Changes

    /// Takes a time from the store.
    mutating func load(_ place: EntryPlace, _ expiry: Expiry) { expiries[place] = expiry }

    /// A text came that is to be erased after a while.
    mutating func add(_ place: EntryPlace, _ expiry: Expiry, in step: inout Step) {
        expiries[place] = expiry
        step.put(place.expiryKey, expiry.encoded)
    }

    /// Takes the texts that are to be erased now, in their order.
    ///
    /// - Parameter relay: the relay of a conversation.
    mutating func takeOver(
        _ clocks: Clocks, relay: (ConversationID) -> RelayID?, in step: inout Step
    ) -> [EntryPlace] {
        var over: [EntryPlace] = []
        for (place, before) in sorted {
            let relay = relay(place.conversation)
            let expiry = before.clamped(wall: clocks.wall, relay: relay.flatMap(clocks.relayTime))
            if expiry != before { add(place, expiry, in: &step) }
            guard Self.delay(expiry, clocks, relay) == 0 else { continue }
            expiries[place] = nil
            step.delete(place.expiryKey)
            over.append(place)
        }
        return over
    }
}

extension EntryPlace {
    fileprivate var expiryKey: StoreKey { StoreKey(.expiry, owner: conversation.rawValue, item: seq) }
}
