import KithSupport
import KithWire

/// The source of a connection, as far as costs are charged to it.
struct Place: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The address: one of IPv4, or an IPv6 network of 64 bits, which a provider gives to one customer or device.
    let address: String
    /// The IPv6 network of 48 bits that the address is in; `nil` for IPv4. A machine can have all addresses of one, and a
    /// provider's customers can share one, so it has an allowance of its own, which is several times that of an address.
    let site: String?

    init(address: String, site: String? = nil) {
        self.address = address
        self.site = site
    }

    init(stringLiteral address: String) { self.init(address: address) }

    /// The network that has turns of its own: the site, or the address if it is in none.
    var network: String { site ?? address }
}

/// Token buckets of addresses and of sites, either in all or at each channel.
///
/// Their keys are hashes under a key that the process draws when it starts, so that memory does not say which address used
/// which channel.
struct PlaceBuckets {
    private var buckets: RecentTable<Int, TokenBucket>
    private let fresh: TokenBucket
    private let freshOfSite: TokenBucket

    /// - Parameters:
    ///   - fresh: the bucket of an address that owes nothing.
    ///   - siteFactor: allowance of a site, in allowances of an address.
    ///   - count: buckets kept at most; see ``RecentTable``.
    init(_ fresh: TokenBucket, siteFactor: Int, atMost count: Int) {
        buckets = RecentTable(atMost: count)
        self.fresh = fresh
        freshOfSite = fresh.scaled(by: siteFactor)
    }

    /// Nanoseconds after which one may be taken for an address; 0 for now. Takes none.
    func wait(of place: Place, at channel: ChannelID? = nil, atNanoseconds now: Int64) -> Int64 {
        let own = bucket(place.address, fresh, channel).wait(atNanoseconds: now)
        guard let site = place.site else { return own }
        return max(own, bucket(site, freshOfSite, channel).wait(atNanoseconds: now))
    }

    /// Takes so many, whether they are there or not.
    mutating func charge(_ count: Int, to place: Place, at channel: ChannelID? = nil, atNanoseconds now: Int64) {
        charge(count, place.address, fresh, channel, now)
        if let site = place.site { charge(count, site, freshOfSite, channel, now) }
    }

    /// Whether a charge brings the forgetting of other buckets nearer.
    func takesRoom(_ place: Place, at channel: ChannelID) -> Bool {
        [place.address, place.site].contains { name in
            name.map { buckets.takesRoom(PlaceKey.of($0, in: channel)) } ?? false
        }
    }

    private func bucket(_ name: String, _ fresh: TokenBucket, _ channel: ChannelID?) -> TokenBucket {
        buckets[PlaceKey.of(name, in: channel)] ?? fresh
    }

    private mutating func charge(
        _ count: Int, _ name: String, _ fresh: TokenBucket, _ channel: ChannelID?, _ now: Int64
    ) {
        var bucket = bucket(name, fresh, channel)
        bucket.charge(count, atNanoseconds: now)
        buckets.set(bucket, for: PlaceKey.of(name, in: channel))
    }
}

extension PlaceBuckets {
    /// The entry ids that addresses have had loaded from the store.
    init(ofLoadedEntryIDs limits: RelayLimits) {
        self.init(
            TokenBucket(burst: limits.loadedEntryIDs, perSecond: limits.loadedEntryIDsPerSecond),
            siteFactor: RelayLimits.siteFactor, atMost: RelayLimits.recentPlaces)
    }

    /// The pairs of an inbox and an address that addresses have had counted.
    init(ofInboxes limits: RelayLimits) {
        self.init(
            TokenBucket(
                burst: limits.placeInboxes,
                nanosecondsEach: PlaceBudget.dayNanoseconds / Int64(max(limits.placeInboxesPerDay, 1))),
            siteFactor: RelayLimits.siteFactor, atMost: RelayLimits.recentPlaces)
    }
}

/// The key packages that addresses have taken from each inbox.
struct PlaceWithdrawals {
    private var taken: PlaceBuckets
    /// The first withdrawals of addresses, each from another inbox.
    private var firsts: PlaceBuckets

    init(_ limits: RelayLimits) {
        taken = PlaceBuckets(
            TokenBucket(
                burst: limits.withdrawPlaceBurst, nanosecondsEach: Int64(limits.withdrawPlaceEveryMs) * 1_000_000),
            siteFactor: RelayLimits.siteFactorInInbox, atMost: limits.inboxShares)
        firsts = PlaceBuckets(ofInboxes: limits)
    }

    /// Nanoseconds after which an address may take one from an inbox; 0 for now. Takes none.
    func wait(of place: Place, at inbox: ChannelID, atNanoseconds now: Int64) -> Int64 {
        let wait = taken.wait(of: place, at: inbox, atNanoseconds: now)
        guard taken.takesRoom(place, at: inbox) else { return wait }
        return max(wait, firsts.wait(of: place, atNanoseconds: now))
    }

    /// Takes one.
    mutating func charge(_ place: Place, at inbox: ChannelID, atNanoseconds now: Int64) {
        if taken.takesRoom(place, at: inbox) { firsts.charge(1, to: place, atNanoseconds: now) }
        taken.charge(1, to: place, at: inbox, atNanoseconds: now)
    }
}

/// Names an address, at a channel if there is one, without keeping either: a hash under a key that the process draws when it
/// starts.
enum PlaceKey {
    static func of(_ name: String, in channel: ChannelID? = nil) -> Int {
        var hasher = Hasher()
        hasher.combine(channel)
        hasher.combine(name)
        return hasher.finalize()
    }
}
