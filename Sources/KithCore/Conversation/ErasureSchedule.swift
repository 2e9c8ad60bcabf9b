import KithWire

/// The texts that expire, with the times at which they expire. A text is hidden as soon as it has expired by the device's
/// clock. A text is erased when it has expired by both the device's clock and the relay's clock.
struct ErasureSchedule {
    private var expiries: [EntryPlace: Expiry] = [:]

    // MARK: Reading

    subscript(_ place: EntryPlace) -> Expiry? { expiries[place] }

    /// The texts, sorted by conversation and seq.
    var sorted: [(place: EntryPlace, expiry: Expiry)] {
        expiries.sorted { ($0.key.conversation, $0.key.seq) < ($1.key.conversation, $1.key.seq) }
            .map { ($0.key, $0.value) }
    }

    /// Returns the milliseconds until each text may be erased. If no relay has stated its time, only the texts of deleted
    /// conversations are included.
    ///
    /// - Parameter relay: returns the relay of a conversation.
    func delays(_ clocks: Clocks, relay: (ConversationID) -> RelayID?) -> [UInt64] {
        expiries.compactMap { place, expiry in Self.delay(expiry, clocks, relay(place.conversation)) }
    }

    /// Returns the milliseconds until a text may be erased; `nil` if no relay has stated its time. A text of a conversation
    /// that no longer exists may be erased at once.
    private static func delay(_ expiry: Expiry, _ clocks: Clocks, _ relay: RelayID?) -> UInt64? {
        guard let relay else { return 0 }
        return clocks.delay(untilOver: expiry.hideAt, orByRelay: expiry.eraseAt, relay: relay)
    }

    // MARK: Changes

    /// Adds the stored times at which a text is hidden and erased.
    mutating func load(_ place: EntryPlace, _ expiry: Expiry) { expiries[place] = expiry }

    /// Adds the times of a new text, and stores them.
    mutating func add(_ place: EntryPlace, _ expiry: Expiry, in step: inout Step) {
        expiries[place] = expiry
        step.put(place.expiryKey, expiry.encoded)
    }

    /// Forgets the texts of a conversation, because the conversation was deleted.
    mutating func forget(_ conversation: ConversationID) {
        expiries = expiries.filter { $0.key.conversation != conversation }
    }

    /// Removes the times of a text that was deleted before it expired.
    mutating func remove(_ place: EntryPlace, in step: inout Step) {
        if expiries.removeValue(forKey: place) != nil { step.delete(place.expiryKey) }
    }

    /// Removes and returns the texts that have to be erased now, in order. Before that, limits times that are too far in the
    /// future; see ``Expiry/clamped(wall:relay:)``.
    ///
    /// - Parameter relay: returns the relay of a conversation.
    mutating func removeDue(
        _ clocks: Clocks, relay: (ConversationID) -> RelayID?, in step: inout Step
    ) -> [EntryPlace] {
        var due: [EntryPlace] = []
        for (place, before) in sorted {
            let relay = relay(place.conversation)
            let expiry = before.clamped(wall: clocks.wall, relay: relay.flatMap(clocks.relayTime))
            if expiry != before { add(place, expiry, in: &step) }
            guard Self.delay(expiry, clocks, relay) == 0 else { continue }
            expiries[place] = nil
            step.delete(place.expiryKey)
            due.append(place)
        }
        return due
    }
}
