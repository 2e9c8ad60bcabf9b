import KithSupport
import KithWire

/// The rest of an address's or a site's budget for today, over all of its connections.
final class PlaceBudget {
    let name: String
    /// The budget of the site that the address is in.
    let site: PlaceBudget?
    var connections = 0
    var buckets: Buckets

    /// Each holds what a day allows, and fills within a day.
    struct Buckets {
        var bytes: TokenBucket
        var channels: TokenBucket
        var names: TokenBucket
        var keyPackages: TokenBucket

        init(_ limits: RelayLimits, times factor: Int = 1) {
            func day(_ count: Int) -> TokenBucket {
                TokenBucket(burst: count, nanosecondsEach: PlaceBudget.dayNanoseconds / Int64(max(count, 1)))
                    .scaled(by: factor)
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

    static let dayNanoseconds: Int64 = 86_400_000_000_000

    init(_ name: String, _ buckets: Buckets, site: PlaceBudget? = nil) {
        self.name = name
        self.buckets = buckets
        self.site = site
    }

    /// Nanoseconds after which one may be taken; 0 for now. Takes none.
    func wait(_ bucket: KeyPath<Buckets, TokenBucket>, atNanoseconds now: Int64) -> Int64 {
        max(
            buckets[keyPath: bucket].wait(atNanoseconds: now),
            site?.buckets[keyPath: bucket].wait(atNanoseconds: now) ?? 0)
    }

    /// Takes so many, whether they are there or not.
    func charge(_ count: Int, _ bucket: WritableKeyPath<Buckets, TokenBucket>, atNanoseconds now: Int64) {
        buckets[keyPath: bucket].charge(count, atNanoseconds: now)
        site?.buckets[keyPath: bucket].charge(count, atNanoseconds: now)
    }

    /// The cost of storing a payload, in bytes. A turn has a row for the epoch that it opens too.
    static func cost(_ payload: Int, isTurn: Bool = false) -> Int {
        payload + (isTurn ? 2 : 1) * StoreLimits.rowBytes
    }
}

/// The budgets of addresses and sites: of those that are connected, and of those that were lately and have not made up for it.
struct PlaceBudgets {
    private var present: [String: PlaceBudget] = [:]
    private var recent = RecentTable<Int, PlaceBudget.Buckets>(atMost: RelayLimits.recentPlaces)
    private let fresh: PlaceBudget.Buckets
    private let freshOfSite: PlaceBudget.Buckets

    init(_ limits: RelayLimits) {
        fresh = PlaceBudget.Buckets(limits)
        freshOfSite = PlaceBudget.Buckets(limits, times: RelayLimits.siteFactor)
    }

    /// A connection from the place has opened.
    mutating func enter(_ place: Place) -> PlaceBudget {
        let site = place.site.map { enter($0, freshOfSite, in: nil) }
        return enter(place.address, fresh, in: site)
    }

    private mutating func enter(_ name: String, _ fresh: PlaceBudget.Buckets, in site: PlaceBudget?) -> PlaceBudget {
        let budget = present[name] ?? PlaceBudget(name, recent[PlaceKey.of(name)] ?? fresh, site: site)
        budget.connections += 1
        present[name] = budget
        return budget
    }

    /// A connection with the budget has closed.
    mutating func leave(_ budget: PlaceBudget, atNanoseconds now: Int64) {
        if let site = budget.site { leave(site, atNanoseconds: now) }
        budget.connections -= 1
        guard budget.connections == 0 else { return }
        present[budget.name] = nil
        keep(budget.buckets, of: budget.name, now)
    }

    /// Takes from a place's budget, connected or not. Returns 0, or takes nothing and returns after how many nanoseconds to
    /// try again.
    mutating func take(
        _ count: Int, _ bucket: WritableKeyPath<PlaceBudget.Buckets, TokenBucket>, of place: Place,
        atNanoseconds now: Int64
    ) -> Int64 {
        let own = buckets(of: place.address, fresh)
        let site = place.site.map { buckets(of: $0, freshOfSite) }
        let wait = max(
            own[keyPath: bucket].wait(atNanoseconds: now), site?[keyPath: bucket].wait(atNanoseconds: now) ?? 0)
        guard wait == 0 else { return wait }
        for (name, buckets) in [(place.address, own), (place.site ?? "", site)] {
            guard var buckets else { continue }
            buckets[keyPath: bucket].charge(count, atNanoseconds: now)
            if let budget = present[name] { budget.buckets = buckets } else { keep(buckets, of: name, now) }
        }
        return 0
    }

    private func buckets(of name: String, _ fresh: PlaceBudget.Buckets) -> PlaceBudget.Buckets {
        present[name]?.buckets ?? recent[PlaceKey.of(name)] ?? fresh
    }

    private mutating func keep(_ buckets: PlaceBudget.Buckets, of name: String, _ now: Int64) {
        // A place that owes nothing is as good as unknown, unless it is known to owe.
        guard !buckets.areFull(atNanoseconds: now) || recent[PlaceKey.of(name)] != nil else { return }
        recent.set(buckets, for: PlaceKey.of(name))
    }
}

extension RelayError {
    /// The refusal of an address that has had enough stored for now.
    static func overBudget(waitNanoseconds wait: Int64) -> RelayError {
        tooFast("this address has had as much stored as it may in a day", waitNanoseconds: wait)
    }

    /// The refusal of a request that a token bucket lets through after a wait.
    static func tooFast(_ reason: String, waitNanoseconds wait: Int64) -> RelayError {
        RelayError(.tooFast, reason, retryAfterMs: UInt32(clamping: wait / 1_000_000 + 1))
    }
}
