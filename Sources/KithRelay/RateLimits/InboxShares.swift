import KithWire

/// The share of each address and each site in each inbox, bounded so that none occupies the whole inbox.
///
/// Shares are kept in memory only, because a disk must not tell which address wrote to which inbox. So a restart
/// forgets them, and an address may then fill its share once more beside its waiting letters.
struct InboxShares {
    /// The waiting letters of one address in one inbox, counted in runs. A run counts until all of its letters were
    /// read.
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

    /// The room of a share.
    private struct Allowance {
        var entries: Int
        var bytes: Int
    }

    /// A letter that needs room.
    struct Letter {
        let inbox: ChannelID
        /// The inbox's head after the decisions so far.
        let head: ChannelHead
        let bytes: Int
        let source: ClientSource
        let atNanoseconds: Int64
    }

    enum Outcome: Equatable {
        case taken
        /// The address or its site has no room left in this inbox.
        case full
        /// The address or its site has written to too many inboxes and has to wait.
        case tooManyInboxes(waitNanoseconds: Int64)
    }

    /// The shares by pairs of an inbox and an address or a site.
    private var shares: RecentTable<Int, Share>
    /// Bounds how fast each address makes the table forget shares.
    private var newPairs: SourceBuckets
    private let isLimited: Bool
    private let address: Allowance
    private let site: Allowance

    init(_ limits: RelayLimits) {
        isLimited = limits.inboxAddresses > 1
        shares = RecentTable(atMost: limits.inboxShares)
        newPairs = SourceBuckets(ofInboxes: limits)
        // A share has room for a letter of any size.
        address = Allowance(
            entries: max(1, limits.inboxEntries / limits.inboxAddresses),
            bytes: max(limits.payload, limits.inboxBytes / limits.inboxAddresses))
        site = Allowance(
            entries: address.entries * RelayLimits.siteFactorInInbox,
            bytes: address.bytes * RelayLimits.siteFactorInInbox)
    }

    /// Takes room for the inbox's next entry out of its source's shares, or takes nothing.
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

    /// The share with the letter in it; `nil` if the share has no room.
    private func share(_ key: Int, with letter: Letter, within allowance: Allowance) -> Share? {
        let (inbox, size) = (letter.head, letter.bytes)
        var share = shares[key] ?? Share()
        // Letters that were read or have expired occupy no room.
        share.runs.removeAll { $0.lastSeq < inbox.firstSeq }
        guard share.entries < allowance.entries, share.bytes + size <= allowance.bytes else { return nil }
        let isFull = share.runs.last.map { run in
            run.entries >= allowance.entries / RelayLimits.runsPerShare
                || run.bytes >= allowance.bytes / RelayLimits.runsPerShare
        }
        if isFull ?? true, share.runs.count < RelayLimits.runsPerShare { share.runs.append(Run()) }
        let last = share.runs.count - 1
        share.runs[last].entries += 1
        share.runs[last].bytes += size
        share.runs[last].lastSeq = inbox.lastSeq + 1
        return share
    }

    /// Gives back the room of an entry that was not committed.
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
