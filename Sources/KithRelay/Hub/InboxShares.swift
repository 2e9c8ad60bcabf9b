import KithWire

/// Each address's share of each inbox, bounded so that none occupies it all.
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

    private var shares = RecentTable<Int, Share>(atMost: RelayLimits.inboxShares)
    private let isLimited: Bool
    private let entries: Int
    private let bytes: Int

    init(_ limits: RelayLimits) {
        isLimited = limits.inboxPlaces > 1
        entries = max(1, limits.inboxEntries / limits.inboxPlaces)
        // A share has room for any one letter.
        bytes = max(limits.payload, limits.inboxBytes / limits.inboxPlaces)
    }

    /// Takes room for the inbox's next entry out of an address's share. Returns `false`, and takes nothing, if there is not
    /// that much.
    ///
    /// - Parameter inbox: the inbox with everything that was decided so far.
    mutating func take(_ size: Int, of inbox: ChannelHead, _ id: ChannelID, for place: String) -> Bool {
        guard isLimited else { return true }
        let key = PlaceKey.of(place, in: id)
        var share = shares[key] ?? Share()
        // What was read, or has expired, occupies nothing.
        share.runs.removeAll { $0.lastSeq < inbox.firstSeq }
        guard share.entries < entries, share.bytes + size <= bytes else { return false }
        let isFull = share.runs.last.map { run in
            run.entries >= entries / RelayLimits.runsPerShare || run.bytes >= bytes / RelayLimits.runsPerShare
        }
        if isFull ?? true, share.runs.count < RelayLimits.runsPerShare { share.runs.append(Run()) }
        let last = share.runs.count - 1
        share.runs[last].entries += 1
        share.runs[last].bytes += size
        share.runs[last].lastSeq = inbox.lastSeq + 1
        shares.set(share, for: key)
        return true
    }

    /// Gives back what was taken for an entry that was not committed.
    mutating func giveBack(_ size: Int, of id: ChannelID, for place: String) {
        let key = PlaceKey.of(place, in: id)
        guard var share = shares[key], let last = share.runs.indices.last else { return }
        share.runs[last].entries -= min(1, share.runs[last].entries)
        share.runs[last].bytes -= min(size, share.runs[last].bytes)
        shares.set(share, for: key)
    }
}

/// The rate at which each address takes key packages from each inbox, bounded so that none takes them all.
struct PlaceWithdrawals {
    private var buckets = RecentTable<Int, TokenBucket>(atMost: RelayLimits.inboxShares)
    private let fresh: TokenBucket

    init(_ limits: RelayLimits) {
        fresh = TokenBucket(
            burst: limits.withdrawPlaceBurst, nanosecondsEach: Int64(limits.withdrawPlaceEveryMs) * 1_000_000)
    }

    /// After how many nanoseconds an address may take one; 0 for now. Takes none.
    func wait(of place: String, at inbox: ChannelID, atNanoseconds now: Int64) -> Int64 {
        (buckets[PlaceKey.of(place, in: inbox)] ?? fresh).wait(atNanoseconds: now)
    }

    mutating func charge(_ place: String, at inbox: ChannelID, atNanoseconds now: Int64) {
        let key = PlaceKey.of(place, in: inbox)
        var bucket = buckets[key] ?? fresh
        bucket.charge(1, atNanoseconds: now)
        buckets.set(bucket, for: key)
    }
}

/// Names an address at a channel without keeping either: a hash under a key that the process draws when it starts.
enum PlaceKey {
    static func of(_ place: String, in channel: ChannelID) -> Int {
        var hasher = Hasher()
        hasher.combine(channel)
        hasher.combine(place)
        return hasher.finalize()
    }
}
