import KithWire
import MLS

/// An inbox of this device's own in memory.
final class Inbox {
    var record: InboxRecord
    var followTag: UInt64?
    /// The last entry that was there when the follow began.
    var lastThere: UInt64?
    /// Entries that wait for the one before them to be done with.
    var queue: [Entry] = []
    /// Whether more is there than may queue, and is read when the first entry is done with.
    var isPaused = false
    /// What the first entry of the queue waits for in a conversation's log.
    var waiting: WelcomeWait?
    /// Key packages that were made and whose deposit has no answer yet.
    var isDepositing = false
    /// Whether a deposit was put off because a clock looks wrong.
    var isDepositHeld = false
    /// Whether the last deposit was refused for the moment.
    var owesDeposit = false
    /// When to open the inbox anew, in milliseconds since 1970: the relay asked for patience.
    var retryAt: UInt64?

    init(_ record: InboxRecord) { self.record = record }

    /// Whether everything that was there when the follow began is done with.
    var isRead: Bool {
        guard followTag != nil, let lastThere else { return false }
        return queue.isEmpty && !isPaused && record.lastSeq >= lastThere
    }

    func hangUp() {
        followTag = nil
        queue = []
        isPaused = false
        waiting = nil
        isDepositing = false
        retryAt = nil
    }
}

/// A Welcome to a conversation that this device is still in, as far as it has read: it may have been removed and added again
/// while it was away, and the log of the one relay may come later than the inbox of the other.
struct WelcomeWait {
    let conversation: ConversationID
    /// The epoch that the Welcome leads to.
    let epoch: UInt64
    /// When it began, in milliseconds since 1970: a log that never gets there is not waited for.
    var since: UInt64
}
