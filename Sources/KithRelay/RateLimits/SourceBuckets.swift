import KithSupport
import KithWire

/// Token buckets of addresses and sites. A bucket applies to the whole relay or to one channel.
///
/// The keys are hashes (``SourceKey``): the relay's memory must not show which address used which channel.
struct SourceBuckets {
    private var buckets: RecentTable<Int, TokenBucket>
    private let fresh: TokenBucket
    private let freshOfSite: TokenBucket

    /// - Parameters:
    ///   - fresh: the bucket of an address before its first use.
    ///   - siteFactor: the allowance of a site, as a multiple of the allowance of an address.
    ///   - count: maximum number of buckets; see ``RecentTable``.
    init(_ fresh: TokenBucket, siteFactor: Int, atMost count: Int) {
        buckets = RecentTable(atMost: count)
        self.fresh = fresh
        freshOfSite = fresh.scaled(by: siteFactor)
    }

    /// Returns the nanoseconds until the source may take a token; 0 if the source may take a token now. Takes no token.
    func wait(of source: ClientSource, at channel: ChannelID? = nil, atNanoseconds now: Int64) -> Int64 {
        let own = bucket(source.address, fresh, channel).wait(atNanoseconds: now)
        guard let site = source.site else { return own }
        return max(own, bucket(site, freshOfSite, channel).wait(atNanoseconds: now))
    }

    /// Takes tokens, even if the buckets do not have enough.
    mutating func charge(_ count: Int, to source: ClientSource, at channel: ChannelID? = nil, atNanoseconds now: Int64)
    {
        charge(count, source.address, fresh, channel, now)
        if let site = source.site { charge(count, site, freshOfSite, channel, now) }
    }

    /// Whether a charge to the source adds a bucket to the table. Each added bucket makes the table forget old buckets sooner.
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
    /// Buckets that limit how many entry ids the store loads for the requests of one source.
    init(ofLoadedEntryIDs limits: RelayLimits) {
        self.init(
            TokenBucket(burst: limits.loadedEntryIDs, perSecond: limits.loadedEntryIDsPerSecond),
            siteFactor: RelayLimits.siteFactor, atMost: RelayLimits.recentAddresses)
    }

    /// Buckets that limit how many new inboxes a source may use. An inbox is new until the source uses it for the first time.
    /// For each inbox that the source uses, the relay remembers a pair of the inbox and the source's address.
    init(ofInboxes limits: RelayLimits) {
        self.init(
            TokenBucket(
                burst: limits.addressInboxes,
                nanosecondsEach: SourceBudget.dayNanoseconds / Int64(max(limits.addressInboxesPerDay, 1))),
            siteFactor: RelayLimits.siteFactor, atMost: RelayLimits.recentAddresses)
    }
}
