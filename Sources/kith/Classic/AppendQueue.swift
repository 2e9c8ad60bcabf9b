import KithClient
import KithSupport
import KithWire
import NIOCore

/// The frames that one side of a classic conversation has to append, in order: when the next may go, and what to do when
/// the relay takes one not yet. Pure: the caller sends, waits and tells the time.
///
/// Messages are numbered, and the other side takes none that comes after a later one. A relay may refuse any frame for the
/// moment and take the one behind it, so a frame goes only when the one before it has been accepted.
struct AppendQueue {
    struct Item {
        let id: EntryID
        let payload: [UInt8]
        /// Whether it is something that the user said.
        let isText: Bool
    }

    /// What the answer to an append means.
    enum Verdict: Equatable {
        case accepted
        /// The relay will take it later; it stays the first.
        case later
        /// The relay will not take it. It stays, as what was not sent.
        case failed(RelayError)
    }

    /// The first of them is the one under way, if one is.
    private var items: [Item] = []
    private var isUnderWay = false
    /// When the relay may be asked again after a refusal.
    private var notBefore: NIODeadline
    private var pace: TokenBucket

    init(limits: AdvertisedLimits, now: NIODeadline) {
        pace = TokenBucket(below: limits)
        notBefore = now
    }

    /// Whether everything that was put in has been accepted.
    var isEmpty: Bool { items.isEmpty }

    /// How many frames have not been accepted.
    var count: Int { items.count }

    /// How many of those the user said.
    var texts: Int { items.count(where: \.isText) }

    mutating func put(_ payload: [UInt8], id: EntryID = .random(), isText: Bool = false) {
        items.append(Item(id: id, payload: payload, isText: isText))
    }

    /// What is to go out now, if anything may.
    mutating func next(now: NIODeadline) -> Item? {
        guard !isUnderWay, let first = items.first, now >= notBefore, pace.take(at: now) else { return nil }
        isUnderWay = true
        return first
    }

    /// How long to wait before ``next(now:)`` gives something; `nil` if there is nothing, or an answer to wait for.
    func delay(now: NIODeadline) -> TimeAmount? {
        guard !isUnderWay, !items.isEmpty else { return nil }
        return max(pace.wait(at: now), notBefore - now)
    }

    /// The relay answered; `nil` if that is no answer to what is under way.
    mutating func answered(_ id: EntryID, error: RelayError?, now: NIODeadline) -> Verdict? {
        guard isUnderWay, items.first?.id == id else { return nil }
        isUnderWay = false
        guard let error else {
            items.removeFirst()
            return .accepted
        }
        guard [.tooFast, .unavailable].contains(error.code) else { return .failed(error) }
        let wait = TimeAmount.milliseconds(Int64(error.retryAfterMs))
        notBefore = now + min(max(wait, ClassicTimeouts.shortestRetry), ClassicTimeouts.longestRetry)
        return .later
    }

    /// The connection is a new one: what had no answer goes again, under the same id. The relay takes an id once.
    mutating func reconnected() { isUnderWay = false }
}
