import KithWire

/// The space that each address and each site takes in each inbox. A share has a maximum size, so no address can fill a whole
/// inbox.
///
/// The shares exist in memory only: the disk must not show which address wrote to which inbox. A restart forgets the shares.
/// After a restart, an address can fill a new share although its earlier letters are still waiting.
struct InboxShares {
    /// The waiting letters of one address or site in one inbox. The letters are counted in runs. A run counts in full until all
    /// letters of the run were read or have expired.
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

    /// The maximum size of a share.
    private struct Allowance {
        var entries: Int
        var bytes: Int
    }

    /// A new letter that needs space in an inbox.
    struct Letter {
        let inbox: ChannelID
        /// The inbox's head, including the decisions of the current round.
        let head: ChannelHead
        let bytes: Int
        let source: ClientSource
        let atNanoseconds: Int64
    }

    enum Outcome: Equatable {
        case taken
        /// The address or its site has no space left in this inbox.
        case full
        /// The address or its site has written to too many inboxes and has to wait.
        case tooManyInboxes(waitNanoseconds: Int64)
    }

    /// The shares. Each key is made from a pair: an inbox and an address, or an inbox and a site.
    private var shares: RecentTable<Int, Share>
    /// Limits how fast an address or a site adds pairs to ``shares``. New pairs make the table forget older pairs.
    private var newPairs: SourceBuckets
    private let isLimited: Bool
    private let address: Allowance
    private let site: Allowance

    init(_ limits: RelayLimits) {
        isLimited = limits.inboxAddresses > 1
        shares = RecentTable(atMost: limits.inboxShares)
        newPairs = SourceBuckets(ofInboxes: limits)
        // A share has room for at least one letter of any allowed size.
        address = Allowance(
            entries: max(1, limits.inboxEntries / limits.inboxAddresses),
            bytes: max(limits.payload, limits.inboxBytes / limits.inboxAddresses))
        site = Allowance(
            entries: address.entries * RelayLimits.siteFactorInInbox,
            bytes: address.bytes * RelayLimits.siteFactorInInbox)
    }

    /// Reserves space for a letter in two shares of the inbox: the share of the sender's address and the share of the sender's
    /// site. If a share has no space for the letter, changes nothing.
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

    /// Returns the share with a given key after adding the letter, or `nil` if that share has no space for the letter.
    private func share(_ key: Int, with letter: Letter, within allowance: Allowance) -> Share? {
        let (inbox, size) = (letter.head, letter.bytes)
        var share = shares[key] ?? Share()
        // Letters that were read or have expired no longer occupy room.
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

    /// Frees the space that was reserved for an entry. Called if the entry was not committed.
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
