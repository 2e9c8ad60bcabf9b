import KithClient
import KithWire
import NIOCore

/// The frames that one side of a classic conversation has to append, in order: how many may be under way, how fast they
/// may go, and what to do when the relay takes one not yet. Pure: the caller sends, waits and tells the time.
///
/// Messages are numbered, so a later one must not overtake an earlier one. After a refusal that will pass, nothing more is
/// sent until all answers are there; then what was refused goes first.
struct AppendQueue {
    struct Item {
        let id: EntryID
        let payload: [UInt8]
    }

    /// What the answer to an append means.
    enum Verdict: Equatable {
        case goOn
        /// The relay will take it later.
        case waitMs(UInt32)
        /// The relay will not take it.
        case failed(RelayError)
    }

    /// So many appends wait for their answer at a time. Enough to keep a slow line busy, and few enough that a refusal in
    /// between holds up little.
    static let window = 64

    private var waiting: [Item] = []
    private var underWay: [EntryID: (item: Item, place: UInt64)] = [:]
    private var refused: [(item: Item, place: UInt64)] = []
    private var lastPlace: UInt64 = 0
    private var pace: Pace

    init(limits: AdvertisedLimits, now: NIODeadline) { pace = Pace(limits: limits, now: now) }

    /// Whether everything that was put in has been accepted.
    var isEmpty: Bool { waiting.isEmpty && underWay.isEmpty && refused.isEmpty }

    /// How many frames wait, in all.
    var count: Int { waiting.count + underWay.count + refused.count }

    mutating func put(_ payload: [UInt8], id: EntryID = .random()) { waiting.append(Item(id: id, payload: payload)) }

    /// What may go out now, in order.
    mutating func next(now: NIODeadline) -> [Item] {
        if !refused.isEmpty {
            guard underWay.isEmpty else { return [] }
            waiting.insert(contentsOf: refused.sorted { $0.place < $1.place }.map(\.item), at: 0)
            refused = []
        }
        var items: [Item] = []
        while items.count < waiting.count, underWay.count < Self.window, pace.take(now: now) {
            let item = waiting[items.count]
            lastPlace += 1
            underWay[item.id] = (item, lastPlace)
            items.append(item)
        }
        waiting.removeFirst(items.count)
        return items
    }

    /// How long to wait before ``next(now:)`` gives more although no answer comes; `nil` if it is answers it waits for.
    func delay(now: NIODeadline) -> TimeAmount? {
        guard !waiting.isEmpty, underWay.count < Self.window, refused.isEmpty else { return nil }
        return pace.delay(now: now)
    }

    mutating func answered(_ id: EntryID, error: RelayError?) -> Verdict {
        guard let answered = underWay.removeValue(forKey: id), let error else { return .goOn }
        switch error.code {
        case .tooFast, .unavailable:
            refused.append(answered)
            return .waitMs(max(error.retryAfterMs, 200))
        default:
            return .failed(error)
        }
    }
}

extension AppendQueue {
    /// The connection is a new one: what had no answer goes again, under the same ids, before everything else.
    mutating func reconnected() {
        refused += underWay.values.map { ($0.item, $0.place) }
        underWay = [:]
    }
}
