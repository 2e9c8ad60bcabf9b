/// What addresses have made the hub load from the store, as far as they have not waited for it yet.
struct LoadCharges {
    private var buckets: [String: TokenBucket] = [:]
    private var sweepAt = LoadCharges.fewest
    private let fresh: TokenBucket

    /// So many addresses are kept before it is looked which of them owe nothing any more.
    private static let fewest = 1024

    init(_ limits: RelayLimits) {
        fresh = TokenBucket(burst: limits.loadedEntryIDs, perSecond: limits.loadedEntryIDsPerSecond)
    }

    /// After how many nanoseconds something may be loaded for an address again; 0 for now.
    func wait(of place: String, atNanoseconds now: Int64) -> Int64 {
        (buckets[place] ?? fresh).wait(atNanoseconds: now)
    }

    /// Notes that so much was loaded.
    mutating func charge(_ count: Int, to place: String, atNanoseconds now: Int64) {
        buckets[place, default: fresh].charge(count, atNanoseconds: now)
        guard buckets.count > sweepAt else { return }
        buckets = buckets.filter { !$0.value.isFull(atNanoseconds: now) }
        sweepAt = max(2 * buckets.count, LoadCharges.fewest)
    }
}

/// Lets one at a time through, in the order in which they came.
struct OneAtATime {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Takes the place, or keeps `next` until it is free.
    mutating func enter(_ next: CheckedContinuation<Void, Never>) {
        if isTaken {
            waiting.append(next)
        } else {
            isTaken = true
            next.resume()
        }
    }

    /// Gives the place to the next.
    mutating func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}
