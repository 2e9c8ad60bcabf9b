import DequeModule
import KithWire

/// The state of an inbox's connection to its relay: the delivered letters that were not read yet, and the unanswered requests.
/// The state ends with the connection.
struct InboxConnection {
    private var follow: Follow?
    /// Delivered letters. Each letter waits until the preceding letter has been read. If the delivery is paused, only the first
    /// letter stays in the queue. The first letter stays even after the follow has ended.
    private var queue: Deque<Entry> = []
    /// Whether the delivery of letters is paused because the queue is full. It resumes when the first letter in the queue is
    /// done.
    private var isPaused = false
    private var deposit: Deposit?
    /// Whether the last trim still waits for the relay's answer.
    private(set) var isTrimming = false
    /// The time at which the inbox is opened again, in milliseconds; see ``Clocks/now``. `nil` unless the relay has asked for a
    /// pause.
    private(set) var retryAt: UInt64?

    /// A follow of the inbox's channel.
    private struct Follow {
        let tag: UInt64
        /// The seq of the last entry that the follow has delivered. While the follow delivers letters that were set aside, this
        /// seq is less than the record's `lastSeq`.
        var position: UInt64
        /// The seq of the last entry that was at the relay when the follow began; `nil` until the relay has stated the seq.
        var lastThere: UInt64?
    }

    /// An unanswered deposit. `isRefill`: whether the deposit only replaces used key packages.
    private struct Deposit {
        let isRefill: Bool
    }

    // MARK: Reading

    var followTag: UInt64? { follow?.tag }

    /// The letter that is read next.
    var first: Entry? { queue.first }

    /// The number of letters that wait.
    var waiting: Int { queue.count }

    /// Whether the follow has delivered all entries up to a seq, and none of these entries waits to be read.
    func hasBrought(through seq: UInt64) -> Bool { follow.map { queue.isEmpty && $0.position >= seq } ?? false }

    /// Whether the follow delivers old entries for a second time and has not reached the given seq yet.
    func isReadingAgain(through seq: UInt64) -> Bool { follow.map { $0.position < seq } ?? false }

    /// Whether everything that was at the relay when the follow began has been processed.
    ///
    /// - Parameter seq: the seq of the last processed entry.
    func isRead(through seq: UInt64) -> Bool {
        guard let lastThere = follow?.lastThere else { return false }
        return queue.isEmpty && !isPaused && seq >= lastThere
    }

    // MARK: Follows

    /// Begins a follow.
    ///
    /// - Parameter seq: the seq of the first entry that the follow will deliver.
    mutating func beginFollow(_ tag: UInt64, from seq: UInt64) {
        follow = Follow(tag: tag, position: seq - min(1, seq))
    }

    mutating func didStartFollow(lastSeq: UInt64) { follow?.lastThere = lastSeq }

    /// Adds to the queue the unread entries among those that the follow has delivered. If a seq is missing, the relay no longer
    /// has that entry, and `record` forgets it if it was set aside.
    mutating func receive(_ entries: [Entry], of record: inout InboxRecord) {
        guard var position = follow?.position else { return }
        for entry in entries where entry.seq > position {
            if entry.seq > position + 1 { record.forgetAside(position + 1...entry.seq - 1) }
            position = entry.seq
            if record.isUnread(entry.seq) { queue.append(entry) }
        }
        follow?.position = position
    }

    /// Pauses reading if the queue holds too many bytes. A pause removes all letters except the first from the queue. The client
    /// reads the other letters again later.
    ///
    /// - Returns: `true` if reading is paused. The caller then has to end the follow.
    mutating func pauseIfFull() -> Bool {
        guard queue.count > 1, queue.reduce(0, { $0 + $1.payload.count }) > ClientLimits.inboxQueue else {
            return false
        }
        isPaused = true
        queue.removeLast(queue.count - 1)
        return true
    }

    /// Removes the first letter, which was read.
    mutating func didReadFirst() { _ = queue.popFirst() }

    /// Ends a pause of reading.
    ///
    /// - Returns: whether the delivery was paused.
    mutating func resume() -> Bool {
        defer { isPaused = false }
        return isPaused
    }

    /// Ends the follow.
    mutating func endFollow() { follow = nil }

    /// Drops the letters that wait. The next follow delivers the dropped letters again.
    mutating func dropQueue() { queue = [] }

    // MARK: Requests

    var isDepositing: Bool { deposit != nil }

    mutating func beginDeposit(isRefill: Bool) { deposit = Deposit(isRefill: isRefill) }

    /// Ends the deposit. The caller calls this when the relay has answered the deposit or has lost the inbox.
    ///
    /// - Returns: whether the deposit only replaced used key packages.
    @discardableResult
    mutating func endDeposit() -> Bool {
        defer { deposit = nil }
        return deposit?.isRefill ?? false
    }

    mutating func beginTrim() { isTrimming = true }

    mutating func endTrim() { isTrimming = false }

    /// Notes the time at which the inbox is opened again, in milliseconds.
    mutating func pause(until time: UInt64) { retryAt = time }

    mutating func endPause() { retryAt = nil }
}
