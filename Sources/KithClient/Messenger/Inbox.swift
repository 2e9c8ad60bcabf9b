import KithWire
import MLS

/// An inbox of this device's own in memory.
final class Inbox {
    var record: InboxRecord
    var followTag: UInt64?
    /// Entries that wait for the one before them to be done with.
    var queue: [Entry] = []
    /// The tree that is being fetched for the first entry of the queue.
    var parcel: ParcelFetch?
    /// Key packages that were made and whose deposit has no answer yet.
    var isDepositing = false
    /// Whether the last deposit was refused for the moment.
    var owesDeposit = false
    /// When to open the inbox anew, in milliseconds since 1970: the relay asked for patience.
    var retryAt: UInt64?

    init(_ record: InboxRecord) { self.record = record }

    func hangUp() {
        followTag = nil
        queue = []
        isDepositing = false
        retryAt = nil
        if parcel?.relay == record.relay { parcel = nil }
    }
}

/// A tree that is on its way (see ``ParcelAddress``).
struct ParcelFetch {
    let address: ParcelAddress
    let relay: RelayID
    var followTag: UInt64?
    var parts: [[UInt8]] = []
    /// When it began, in milliseconds since 1970: what lies at a relay that is never there is not waited for.
    let since: UInt64
    let message: InboxMessage

    mutating func hangUp() {
        followTag = nil
        parts = []
    }
}
