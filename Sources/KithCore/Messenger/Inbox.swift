import KithWire
import MLS

/// An inbox of this device's own in memory.
final class Inbox {
    var record: InboxRecord
    var followTag: UInt64?
    /// The last entry that was there when the follow began.
    var lastThere: UInt64?
    /// The last entry that the follow has brought. It lies before the record's `lastSeq` while letters that were left at the relay
    /// are read again.
    var position: UInt64 = 0
    /// Entries that wait for the one before them to be done with.
    var queue: [Entry] = []
    /// Whether the relay has more than may queue. The rest is read after the first entry of the queue.
    var isPaused = false
    /// The numbers of this inbox's stored key packages by their references. Nil until a letter is looked at.
    var packages: [[UInt8]: UInt64]?
    /// Key packages that were made and whose deposit has no answer yet.
    var isDepositing = false
    /// Whether a deposit was put off because a clock looks wrong.
    var isDepositHeld = false
    /// Whether that deposit only replaces packages that were used.
    var isRefilling = false
    /// Whether the last deposit was refused for the moment.
    var owesDeposit = false
    /// Whether the relay was asked to drop entries and has not answered.
    var isTrimming = false
    /// When the relay was last asked to keep the inbox's name, by the messenger's `now`.
    var renewalAskedAt: UInt64?
    /// When to open the inbox anew, in milliseconds since 1970: the relay asked for patience.
    var retryAt: UInt64?

    init(_ record: InboxRecord) { self.record = record }

    /// Whether everything that was there when the follow began is done with.
    var isRead: Bool {
        guard followTag != nil, let lastThere else { return false }
        return queue.isEmpty && !isPaused && record.lastSeq >= lastThere && record.aside.isEmpty
    }

    /// A key package is deleted.
    func didDelete(_ number: UInt64) {
        guard let reference = packages?.first(where: { $0.value == number })?.key else { return }
        packages?[reference] = nil
    }

    func hangUp() {
        followTag = nil
        queue = []
        isPaused = false
        isTrimming = false
        isDepositing = false
        retryAt = nil
    }
}
