import KithSupport
import KithWire

/// Token buckets of addresses and sites, either for the relay as a whole or for each channel.
///
/// Their keys are hashes (``SourceKey``), so that memory does not tell which address used which channel.
struct SourceBuckets {
    private var buckets: RecentTable<Int, TokenBucket>
    private let fresh: TokenBucket
    private let freshOfSite: TokenBucket

    /// - Parameters:
    ///   - fresh: the full bucket of an address.
    ///   - siteFactor: allowance of a site, in allowances of an address.
    ///   - count: number of buckets kept at most; see ``RecentTable``.
    init(_ fresh: TokenBucket, siteFactor: Int, atMost count: Int) {
        buckets = RecentTable(atMost: count)
        self.fresh = fresh
        freshOfSite = fresh.scaled(by: siteFactor)
    }

    /// The wait for a token of the source, in nanoseconds; 0 for none. Takes no token.
    func wait(of source: ClientSource, at channel: ChannelID? = nil, atNanoseconds now: Int64) -> Int64 {
        let own = bucket(source.address, fresh, channel).wait(atNanoseconds: now)
        guard let site = source.site else { return own }
        return max(own, bucket(site, freshOfSite, channel).wait(atNanoseconds: now))
    }

    /// Takes tokens, whether the buckets have them or not.
    mutating func charge(_ count: Int, to source: ClientSource, at channel: ChannelID? = nil, atNanoseconds now: Int64)
    {
        charge(count, source.address, fresh, channel, now)
        if let site = source.site { charge(count, site, freshOfSite, channel, now) }
    }

    /// Whether a charge makes the table forget other buckets sooner.
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
    /// Buckets for the entry ids that the store loads for a source.
    init(ofLoadedEntryIDs limits: RelayLimits) {
        self.init(
            TokenBucket(burst: limits.loadedEntryIDs, perSecond: limits.loadedEntryIDsPerSecond),
            siteFactor: RelayLimits.siteFactor, atMost: RelayLimits.recentAddresses)
    }

    /// Buckets for the pairs of an inbox and an address that a source adds.
    init(ofInboxes limits: RelayLimits) {
        self.init(
            TokenBucket(
                burst: limits.addressInboxes,
                nanosecondsEach: SourceBudget.dayNanoseconds / Int64(max(limits.addressInboxesPerDay, 1))),
            siteFactor: RelayLimits.siteFactor, atMost: RelayLimits.recentAddresses)
    }
}
