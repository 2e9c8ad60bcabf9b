import KithWire

/// Each address's and each site's share of each inbox, bounded so that none occupies it all.
///
/// In memory only: it says which address wrote to which inbox, which is nothing for a disk. So a restart forgets it, and an
/// address may then occupy its share once more beside what it has there already.
struct InboxShares {
    /// The letters of one address that wait in one inbox, in runs of its letters: a run counts until all of it was read.
    private struct Share {
        var runs: [Run] = []

        var entries: Int { runs.reduce(0) { $0 + $1.entries } }
        var bytes: Int { runs.reduce(0) { $0 + $1.bytes } }
    }

    private struct Run {
        var entries = 0
        var bytes = 0
        var lastSeq: UInt64 = 0
    }

    /// Bounds of a share.
    private struct Bounds {
        var entries: Int
        var bytes: Int
    }

    /// A letter for which room is wanted.
    struct Letter {
        let inbox: ChannelID
        /// The inbox with everything that was decided so far.
        let head: ChannelHead
        let bytes: Int
        let source: ClientSource
        let atNanoseconds: Int64
    }

    enum Outcome: Equatable {
        case taken
        /// The address or its site has no room left in this inbox.
        case full
        /// The address or its site has written to too many inboxes, for so many nanoseconds.
        case tooManyInboxes(waitNanoseconds: Int64)
    }

    /// The shares, by the pair of an inbox and an address or a site.
    private var shares: RecentTable<Int, Share>
    /// Bounds how fast each address makes this table forget the shares of others, and its own.
    private var newPairs: SourceBuckets
    private let isLimited: Bool
    private let address: Bounds
    private let site: Bounds

    init(_ limits: RelayLimits) {
        isLimited = limits.inboxAddresses > 1
        shares = RecentTable(atMost: limits.inboxShares)
        newPairs = SourceBuckets(ofInboxes: limits)
        // A share has room for any one letter.
        address = Bounds(
            entries: max(1, limits.inboxEntries / limits.inboxAddresses),
            bytes: max(limits.payload, limits.inboxBytes / limits.inboxAddresses))
        site = Bounds(
            entries: address.entries * RelayLimits.siteFactorInInbox,
            bytes: address.bytes * RelayLimits.siteFactorInInbox)
    }

    /// Takes room for the inbox's next entry out of its place's shares, or takes nothing.
    mutating func take(_ letter: Letter) -> Outcome {
        guard isLimited else { return .taken }
        let source = letter.source
        let key = SourceKey.of(source.address, in: letter.inbox)
        let siteKey = source.site.map { SourceKey.of($0, in: letter.inbox) }
        guard let own = share(key, with: letter, within: address) else { return .full }
        var whole: Share?
        if let siteKey {
            whole = share(siteKey, with: letter, within: site)
            guard whole != nil else { return .full }
        }
        if shares.takesRoom(key) || siteKey.map({ shares.takesRoom($0) }) ?? false {
            let wait = newPairs.wait(of: source, atNanoseconds: letter.atNanoseconds)
            guard wait == 0 else { return .tooManyInboxes(waitNanoseconds: wait) }
            newPairs.charge(1, to: source, atNanoseconds: letter.atNanoseconds)
        }
        if let siteKey, let whole { shares.set(whole, for: siteKey) }
        shares.set(own, for: key)
        return .taken
    }

    /// A share with the letter in it; `nil` if it has no room for that.
    private func share(_ key: Int, with letter: Letter, within bounds: Bounds) -> Share? {
        let (inbox, size) = (letter.head, letter.bytes)
        var share = shares[key] ?? Share()
        // Letters that were read, or have expired, occupy nothing.
        share.runs.removeAll { $0.lastSeq < inbox.firstSeq }
        guard share.entries < bounds.entries, share.bytes + size <= bounds.bytes else { return nil }
        let isFull = share.runs.last.map { run in
            run.entries >= bounds.entries / RelayLimits.runsPerShare
                || run.bytes >= bounds.bytes / RelayLimits.runsPerShare
        }
        if isFull ?? true, share.runs.count < RelayLimits.runsPerShare { share.runs.append(Run()) }
        let last = share.runs.count - 1
        share.runs[last].entries += 1
        share.runs[last].bytes += size
        share.runs[last].lastSeq = inbox.lastSeq + 1
        return share
    }

    /// Gives back what was taken for an entry that was not committed.
    mutating func giveBack(_ size: Int, of id: ChannelID, for source: ClientSource) {
        for name in [source.address, source.site].compactMap({ $0 }) {
            let key = SourceKey.of(name, in: id)
            guard var share = shares[key], let last = share.runs.indices.last else { continue }
            share.runs[last].entries -= min(1, share.runs[last].entries)
            share.runs[last].bytes -= min(size, share.runs[last].bytes)
            shares.set(share, for: key)
        }
    }
}
