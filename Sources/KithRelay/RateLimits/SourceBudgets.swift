import KithSupport
import KithWire

/// The budgets of addresses and sites that have connections, or that recently used a part of their budget.
struct SourceBudgets {
    private var present: [String: SourceBudget] = [:]
    private var recent = RecentTable<Int, SourceBudget.Buckets>(atMost: RelayLimits.recentAddresses)
    private let fresh: SourceBudget.Buckets
    private let freshOfSite: SourceBudget.Buckets

    init(_ limits: RelayLimits) {
        fresh = SourceBudget.Buckets(limits)
        freshOfSite = SourceBudget.Buckets(limits, times: RelayLimits.siteFactor)
    }

    /// Returns the budget for a new connection, and counts the connection.
    mutating func enter(_ source: ClientSource) -> SourceBudget {
        let site = source.site.map { enter($0, freshOfSite, in: nil) }
        return enter(source.address, fresh, in: site)
    }

    private mutating func enter(_ name: String, _ fresh: SourceBudget.Buckets, in site: SourceBudget?) -> SourceBudget {
        let budget = present[name] ?? SourceBudget(name, recent[SourceKey.of(name)] ?? fresh, site: site)
        budget.connections += 1
        present[name] = budget
        return budget
    }

    /// Notes that a connection with the budget has closed.
    mutating func leave(_ budget: SourceBudget, atNanoseconds now: Int64) {
        if let site = budget.site { leave(site, atNanoseconds: now) }
        budget.connections -= 1
        guard budget.connections == 0 else { return }
        present[budget.name] = nil
        keep(budget.buckets, of: budget.name, now)
    }

    /// If the budget of a source and the budget of its site each have at least one token now, takes `count` tokens from both
    /// and returns 0. Tokens that a budget does not have become a debt. Otherwise takes no token, and returns the nanoseconds
    /// until both budgets have a token. The source need not have connections.
    mutating func take(
        _ count: Int, _ bucket: WritableKeyPath<SourceBudget.Buckets, TokenBucket>, of source: ClientSource,
        atNanoseconds now: Int64
    ) -> Int64 {
        let own = buckets(of: source.address, fresh)
        let site = source.site.map { buckets(of: $0, freshOfSite) }
        let wait = max(
            own[keyPath: bucket].wait(atNanoseconds: now), site?[keyPath: bucket].wait(atNanoseconds: now) ?? 0)
        guard wait == 0 else { return wait }
        for (name, buckets) in [(source.address, own), (source.site ?? "", site)] {
            guard var buckets else { continue }
            buckets[keyPath: bucket].charge(count, atNanoseconds: now)
            if let budget = present[name] { budget.buckets = buckets } else { keep(buckets, of: name, now) }
        }
        return 0
    }

    private func buckets(of name: String, _ fresh: SourceBudget.Buckets) -> SourceBudget.Buckets {
        present[name]?.buckets ?? recent[SourceKey.of(name)] ?? fresh
    }

    private mutating func keep(_ buckets: SourceBudget.Buckets, of name: String, _ now: Int64) {
        // A full budget need not be stored, except to replace an earlier one that was not full.
        guard !buckets.areFull(atNanoseconds: now) || recent[SourceKey.of(name)] != nil else { return }
        recent.set(buckets, for: SourceKey.of(name))
    }
}
