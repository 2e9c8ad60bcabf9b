import KithClient
import KithSupport
import KithWire
import NIOCore

/// The frames of one side of a classic conversation that wait to be appended, in order. Decides when the next may go,
/// and what a refusal means. Pure: the caller sends, waits, and gives the time.
///
/// Messages have numbers, and the receiver drops one that arrives after a later one. A relay may refuse a frame and
/// accept the next. Therefore a frame is sent only when the previous one was accepted.
struct AppendQueue {
    struct Item {
        let id: EntryID
        let payload: [UInt8]
        /// Whether the user typed it.
        let isText: Bool
    }

    /// The outcome of an append.
    enum Verdict: Equatable {
        case accepted
        /// The relay may accept it later. The frame stays first.
        case later
        /// The relay refuses it for good. The frame stays, as unsent.
        case failed(RelayError)
    }

    /// The first item is in flight if `isUnderWay` is set.
    private var items: [Item] = []
    private var isUnderWay = false
    /// Earliest time of the next attempt after a refusal.
    private var notBefore: NIODeadline
    private var pace: TokenBucket

    init(limits: AdvertisedLimits, now: NIODeadline) {
        pace = TokenBucket(below: limits)
        notBefore = now
    }

    /// Whether all frames were accepted.
    var isEmpty: Bool { items.isEmpty }

    /// Number of frames that were not accepted yet.
    var count: Int { items.count }

    /// Number of the user's texts among them.
    var texts: Int { items.count(where: \.isText) }

    mutating func put(_ payload: [UInt8], id: EntryID = .random(), isText: Bool = false) {
        items.append(Item(id: id, payload: payload, isText: isText))
    }

    /// Returns the frame to send now, if one may be sent.
    mutating func next(now: NIODeadline) -> Item? {
        guard !isUnderWay, let first = items.first, now >= notBefore, pace.take(at: now) else { return nil }
        isUnderWay = true
        return first
    }

    /// Returns the time until ``next(now:)`` may return a frame; `nil` if the queue is empty or a frame is in flight.
    func delay(now: NIODeadline) -> TimeAmount? {
        guard !isUnderWay, !items.isEmpty else { return nil }
        return max(pace.wait(at: now), notBefore - now)
    }

    /// Takes the relay's answer; returns `nil` if it does not belong to the frame in flight.
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

    /// Prepares for a new connection: a frame without an answer goes again under the same id. The relay stores an id
    /// only once.
    mutating func reconnected() { isUnderWay = false }
}
