import DequeModule
import KithClient
import KithSupport
import KithWire
import NIOCore

/// The queue of frames that one side of a classic conversation has to append, in order. The queue decides when the next frame
/// may be sent, and what a refusal means. The type performs no input or output: the caller sends the frames, waits, and passes
/// the time.
///
/// Messages have numbers. If a message arrives after a message with a higher number, the receiver drops the message with the
/// lower number. A relay might refuse a frame and accept the next frame. Therefore a frame is sent only after the previous
/// frame was accepted.
struct AppendQueue {
    struct Item {
        let id: EntryID
        let payload: [UInt8]
        /// Whether the user typed the content of the frame.
        let isText: Bool
    }

    /// The outcome of an append.
    enum Verdict: Equatable {
        case accepted
        /// The relay may accept the frame later. The frame stays first in the queue.
        case later
        /// The relay refuses the frame for good. The frame stays in the queue and counts as unsent.
        case failed(RelayError)
    }

    /// The queued frames. If `isUnderWay` is set, the first frame is in flight.
    private var items: Deque<Item> = []
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

    /// Number of the user's texts among the frames.
    var texts: Int { items.count(where: \.isText) }

    mutating func put(_ payload: [UInt8], id: EntryID = .random(), isText: Bool = false) {
        items.append(Item(id: id, payload: payload, isText: isText))
    }

    /// Returns the frame to send now; `nil` if no frame may be sent now.
    mutating func next(now: NIODeadline) -> Item? {
        guard !isUnderWay, let first = items.first, now >= notBefore, pace.take(at: now) else { return nil }
        isUnderWay = true
        return first
    }

    /// Returns the time until ``next(now:)`` may return a frame. `nil` if the queue is empty or a frame is in flight.
    func delay(now: NIODeadline) -> TimeAmount? {
        guard !isUnderWay, !items.isEmpty else { return nil }
        return max(pace.wait(at: now), notBefore - now)
    }

    /// Processes the relay's answer. Returns `nil` if the answer does not belong to the frame in flight.
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

    /// Prepares for a new connection. A frame without an answer is sent again with its old id. The relay therefore stores the
    /// frame only once.
    mutating func reconnected() { isUnderWay = false }
}
