import KithWire

/// The rest of an address's budget for today, over all of its connections.
final class PlaceBudget {
    let place: String
    var connections = 0
    var buckets: Buckets

    /// Each holds what a day allows, and fills within a day.
    struct Buckets {
        var bytes: TokenBucket
        var channels: TokenBucket
        var names: TokenBucket
        var keyPackages: TokenBucket

        init(_ limits: RelayLimits) {
            func day(_ count: Int) -> TokenBucket {
                TokenBucket(burst: count, nanosecondsEach: PlaceBudget.dayNanoseconds / Int64(max(count, 1)))
            }
            bytes = day(limits.placeMiBPerDay << 20)
            channels = day(limits.placeChannelsPerDay)
            names = day(limits.placeNamesPerDay)
            keyPackages = day(limits.placeKeyPackagesPerDay)
        }

        func areFull(atNanoseconds now: Int64) -> Bool {
            [bytes, channels, names, keyPackages].allSatisfy { $0.isFull(atNanoseconds: now) }
        }
    }

    private static let dayNanoseconds: Int64 = 86_400_000_000_000

    init(_ place: String, _ buckets: Buckets) {
        self.place = place
        self.buckets = buckets
    }

    /// The cost of storing a payload, in bytes.
    static func cost(_ payload: Int) -> Int { payload + StoreLimits.rowBytes }
}

/// The budgets of addresses: of those that are connected, and of those that were lately and have not made up for it.
struct PlaceBudgets {
    private var present: [String: PlaceBudget] = [:]
    private var recent = RecentTable<Int, PlaceBudget.Buckets>(atMost: RelayLimits.recentPlaces)
    private let fresh: PlaceBudget.Buckets

    init(_ limits: RelayLimits) { fresh = PlaceBudget.Buckets(limits) }

    /// A connection of the address has opened.
    mutating func enter(_ place: String) -> PlaceBudget {
        let budget = present[place] ?? PlaceBudget(place, recent[place.hashValue] ?? fresh)
        budget.connections += 1
        present[place] = budget
        return budget
    }

    /// A connection of the address has closed.
    mutating func leave(_ budget: PlaceBudget, atNanoseconds now: Int64) {
        budget.connections -= 1
        guard budget.connections == 0 else { return }
        present[budget.place] = nil
        keep(budget.buckets, of: budget.place, now)
    }

    /// Takes from an address's budget, connected or not. Returns 0, or takes nothing and returns after how many nanoseconds
    /// to try again.
    mutating func take(
        _ count: Int, _ bucket: WritableKeyPath<PlaceBudget.Buckets, TokenBucket>, of place: String,
        atNanoseconds now: Int64
    ) -> Int64 {
        var buckets = present[place]?.buckets ?? recent[place.hashValue] ?? fresh
        let wait = buckets[keyPath: bucket].wait(atNanoseconds: now)
        guard wait == 0 else { return wait }
        buckets[keyPath: bucket].charge(count, atNanoseconds: now)
        if let budget = present[place] { budget.buckets = buckets } else { keep(buckets, of: place, now) }
        return 0
    }

    private mutating func keep(_ buckets: PlaceBudget.Buckets, of place: String, _ now: Int64) {
        // A place that owes nothing is as good as unknown, unless it is known to owe.
        guard !buckets.areFull(atNanoseconds: now) || recent[place.hashValue] != nil else { return }
        recent.set(buckets, for: place.hashValue)
    }
}

extension RelayError {
    /// The refusal of an address that has had enough stored for now.
    static func overBudget(waitNanoseconds wait: Int64) -> RelayError {
        RelayError(
            .tooFast, "this address has had as much stored as it may in a day",
            retryAfterMs: UInt32(clamping: wait / 1_000_000 + 1))
    }
}
