import KithWire

/// Adds to a conversation's history: stores entries, reports the entries that may be shown, and counts repeated notices.
struct ConversationHistory {
    private let conversation: ConversationID
    private var notices = RepeatedNotices()
    /// The ids of recent messages; `nil` until an id is looked up for the first time, and after ``unload()``.
    private var recentIDs: RecentIDs?

    init(of conversation: ConversationID) { self.conversation = conversation }

    /// Stores an entry, and reports the messages and notices that users see for it, if any.
    mutating func note(
        _ noted: EntryRecord, at entry: Entry, in record: inout ConversationRecord, _ device: inout DeviceState
    ) throws(KithError) {
        var noted = noted
        if let answered = noted.replyTo { noted.replySeq = try seq(of: answered, in: &device) }
        _ = recentIDs?.insert(noted.id, at: entry.seq)
        let place = EntryPlace(conversation: conversation, seq: entry.seq)
        device.step.put(place.key, noted.encoded)
        if let seconds = noted.expiresAfter, noted.body.canExpire {
            let wall = device.wall
            let expiry = Expiry(after: seconds, wall: wall, relay: device.clocks.relayTime(record.relay) ?? wall)
            device.erasures.add(place, expiry, in: &device.step)
        }
        let lines = noted.messages(at: place, readBy: record.readBy, in: device)
        if lines.contains(where: \.isShown) { notices.didShow() }
        if lines.contains(where: \.isForPeople) { record.didShow(at: entry.receivedAtMs) }
        for line in lines { device.emit(.message(line)) }
    }

    /// Stores and reports a message that can't be used. If further messages of the same sender can't be used for the same
    /// reason, and nothing else is shown in between, the line of the first message counts them. Each further message is stored
    /// with the log's hash after the message, but gets no notice of its own.
    mutating func noteUnusable(
        _ noted: EntryRecord, at seq: UInt64, _ reason: UnreadableReason, in record: ConversationRecord,
        _ device: inout DeviceState
    ) {
        // The entry is stored, so its id would be a recent one after a restart too.
        _ = recentIDs?.insert(noted.id, at: seq)
        let name = noted.author == .unknown ? nil : device.name(of: noted.author)
        let line = notices.count(noted, at: seq, reason, from: name)
        let place = EntryPlace(conversation: conversation, seq: line.seq)
        device.step.put(place.key, line.record.encoded)
        if line.seq != seq { device.step.put(EntryPlace(conversation: conversation, seq: seq).key, noted.encoded) }
        guard line.isToBeTold else { return }
        for message in line.record.messages(at: place, readBy: record.readBy, in: device) {
            device.emit(.message(message))
        }
    }

    /// Reports a warning. If warnings of one kind repeat, each within ten minutes of the previous one, only the first, the
    /// tenth, the hundredth and so on are reported. A warning that logs differ, or that a message is not sent, is always
    /// reported.
    mutating func report(_ warning: Warning, in device: inout DeviceState) {
        guard let times = notices.times(warning, at: device.now) else { return }
        device.emit(.warning(conversation, warning, times: times))
    }

    /// Returns whether no recent message has this id. Storing the message adds the id to the recent ids; this call does not.
    mutating func isNew(_ entry: EntryID, in device: inout DeviceState) throws(KithError) -> Bool {
        try seq(of: entry, in: &device) == nil
    }

    /// Returns the seq of a recent message; `nil` if there is no such message.
    mutating func seq(of entry: EntryID, in device: inout DeviceState) throws(KithError) -> UInt64? {
        if let recentIDs { return recentIDs[entry] }
        var ids = RecentIDs()
        let recent = try device.entries(
            of: conversation, 0...StoreKey.highest, limit: ClientLimits.recentIDs, newestFirst: true)
        for (seq, noted) in recent.reversed() { if let noted { _ = ids.insert(noted.id, at: seq) } }
        for (seq, stored) in device.step.pendingEntries(of: conversation) {
            _ = ids.insert(try decodingStored(.entry) { try EntryRecord(stored: stored) }.id, at: seq)
        }
        recentIDs = ids
        return ids[entry]
    }

    /// Frees the ids, which can be read from the store again.
    mutating func unload() { recentIDs = nil }
}
