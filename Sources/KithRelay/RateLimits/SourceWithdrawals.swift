import KithSupport
import KithWire

/// The key packages that each source has taken from each inbox.
struct SourceWithdrawals {
    private var taken: SourceBuckets
    /// Limits how often a source takes its first key package from an inbox. After a long time, the source's next key package
    /// from the same inbox counts as a first one again.
    private var firsts: SourceBuckets

    init(_ limits: RelayLimits) {
        taken = SourceBuckets(
            TokenBucket(
                burst: limits.withdrawAddressBurst, nanosecondsEach: Int64(limits.withdrawAddressEveryMs) * 1_000_000),
            siteFactor: RelayLimits.siteFactorInInbox, atMost: limits.inboxShares)
        firsts = SourceBuckets(ofInboxes: limits)
    }

    /// Returns the nanoseconds until the source may take a key package from an inbox; 0 if the source may take a key package now.
    /// Takes no key package.
    func wait(of source: ClientSource, at inbox: ChannelID, atNanoseconds now: Int64) -> Int64 {
        let wait = taken.wait(of: source, at: inbox, atNanoseconds: now)
        guard taken.takesRoom(source, at: inbox) else { return wait }
        return max(wait, firsts.wait(of: source, atNanoseconds: now))
    }

    /// Notes that the source has taken a key package.
    mutating func charge(_ source: ClientSource, at inbox: ChannelID, atNanoseconds now: Int64) {
        if taken.takesRoom(source, at: inbox) { firsts.charge(1, to: source, atNanoseconds: now) }
        taken.charge(1, to: source, at: inbox, atNanoseconds: now)
    }
}
