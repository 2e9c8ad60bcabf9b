import KithSupport
import KithWire

/// Token buckets of addresses and of sites, either in all or at each channel.
///
/// Their keys are hashes under a key that the process draws when it starts, so that memory does not say which address used
/// which channel.
struct SourceBuckets {
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
    func wait(of source: ClientSource, at channel: ChannelID? = nil, atNanoseconds now: Int64) -> Int64 {
        let own = bucket(source.address, fresh, channel).wait(atNanoseconds: now)
        guard let site = source.site else { return own }
        return max(own, bucket(site, freshOfSite, channel).wait(atNanoseconds: now))
    }

    /// Takes so many, whether they are there or not.
    mutating func charge(_ count: Int, to source: ClientSource, at channel: ChannelID? = nil, atNanoseconds now: Int64)
    {
        charge(count, source.address, fresh, channel, now)
        if let site = source.site { charge(count, site, freshOfSite, channel, now) }
    }

    /// Whether a charge brings the forgetting of other buckets nearer.
    func takesRoom(_ source: ClientSource, at channel: ChannelID) -> Bool {
        [source.address, source.site].contains { name in
            name.map { buckets.takesRoom(SourceKey.of($0, in: channel)) } ?? false
        }
    }

    private func bucket(_ name: String, _ fresh: TokenBucket, _ channel: ChannelID?) -> TokenBucket {
        buckets[SourceKey.of(name, in: channel)] ?? fresh
    }

    private mutating func charge(
        _ count: Int, _ name: String, _ fresh: TokenBucket, _ channel: ChannelID?, _ now: Int64
    ) {
        var bucket = bucket(name, fresh, channel)
        bucket.charge(count, atNanoseconds: now)
        buckets.set(bucket, for: SourceKey.of(name, in: channel))
    }
}

extension SourceBuckets {
    /// The entry ids that addresses have had loaded from the store.
    init(ofLoadedEntryIDs limits: RelayLimits) {
        self.init(
            TokenBucket(burst: limits.loadedEntryIDs, perSecond: limits.loadedEntryIDsPerSecond),
            siteFactor: RelayLimits.siteFactor, atMost: RelayLimits.recentAddresses)
    }

    /// The pairs of an inbox and an address that addresses have had counted.
    init(ofInboxes limits: RelayLimits) {
        self.init(
            TokenBucket(
                burst: limits.addressInboxes,
                nanosecondsEach: SourceBudget.dayNanoseconds / Int64(max(limits.addressInboxesPerDay, 1))),
            siteFactor: RelayLimits.siteFactor, atMost: RelayLimits.recentAddresses)
    }
}
