import KithWire

/// The purpose of a parcel.
enum ParcelPurpose: Hashable, Comparable, Sendable {
    /// The tree of a group. The first letter in the inbox's queue invites this device to the group.
    case tree(InboxID)
    /// The commit of the next turn in a conversation's log.
    case commit(ConversationID)
}

/// The parcels that are being fetched. A parcel is data that is too long for an entry. The data is in a separate channel.
struct ParcelFetches {
    private var fetches: [ParcelPurpose: ParcelFetch] = [:]

    /// The result of a fetch.
    enum Event {
        case came(ParcelPurpose, [UInt8])
        /// The parcel cannot be fetched.
        case failed(ParcelPurpose, RelayError.Code)
    }

    // MARK: Reading

    var isEmpty: Bool { fetches.isEmpty }

    func isFetching(_ purpose: ParcelPurpose) -> Bool { fetches[purpose] != nil }

    /// Whether a follow belongs to the fetch of a parcel.
    func isFollowing(_ purpose: ParcelPurpose, _ tag: UInt64) -> Bool { fetches[purpose]?.followTag == tag }

    /// The times at which fetches are retried or given up, in milliseconds.
    var due: [UInt64] { fetches.values.map { $0.retryAt ?? $0.since + ClientLimits.parcelMs } }

    var purposes: [ParcelPurpose] { fetches.keys.sorted() }

    // MARK: Changes

    /// Begins to fetch a parcel.
    ///
    /// - Parameter since: the start of the wait, in milliseconds; see ``Clocks/now``.
    mutating func fetch(_ address: ParcelAddress, at relay: RelayID, for purpose: ParcelPurpose, since: UInt64) {
        fetches[purpose] = ParcelFetch(address, at: relay, since: since)
    }

    /// Requests a parcel if the relay is connected and the parcel was not requested yet.
    mutating func open(_ purpose: ParcelPurpose, _ relays: RelayDirectory, in step: inout Step) {
        guard let fetch = fetches[purpose], relays.isConnected(fetch.relay), fetch.followTag == nil else { return }
        step.request(
            fetch.relay, .present(channel: fetch.address.channel, epoch: 0, tokens: [fetch.address.readToken]),
            for: .parcel(purpose))
        fetches[purpose]?.followTag = step.follow(
            fetch.relay, fetch.address.channel, epoch: 0, fromSeq: 1, for: .parcel(purpose))
    }

    /// Requests the parcels that are at a relay. Called when the relay is connected.
    mutating func didConnect(_ relay: RelayID, _ relays: RelayDirectory, in step: inout Step) {
        for purpose in purposes where fetches[purpose]?.relay == relay { open(purpose, relays, in: &step) }
    }

    /// Handles the end of a connection. Parts that have arrived are kept.
    mutating func didDisconnect(_ relay: RelayID) {
        for purpose in purposes where fetches[purpose]?.relay == relay { fetches[purpose]?.resetConnection() }
    }

    /// Repeats a fetch after the pause that the relay has asked for. Gives up a fetch that takes too long.
    mutating func tick(
        _ purpose: ParcelPurpose, _ relays: RelayDirectory, at now: UInt64, in step: inout Step
    ) -> Event? {
        guard let fetch = fetches[purpose] else { return nil }
        if fetch.since + ClientLimits.parcelMs <= now { return fail(purpose, .denied, in: &step) }
        if let retryAt = fetch.retryAt, retryAt <= now {
            fetches[purpose]?.retryAt = nil
            open(purpose, relays, in: &step)
        }
        return nil
    }

    /// Handles a relay's refusal. The relay has refused a request about a parcel, or has refused to let the client follow the
    /// parcel's channel.
    mutating func didRefuse(
        _ purpose: ParcelPurpose, _ error: RelayError, at now: UInt64, in step: inout Step
    ) -> Event? {
        guard let fetch = fetches[purpose], fetch.retryAt == nil else { return nil }
        guard error.code.isPassing else { return fail(purpose, error.code, in: &step) }
        step.unfollow(fetch.relay, fetch.followTag)
        fetches[purpose]?.resetConnection()
        fetches[purpose]?.retryAt = now + max(ClientLimits.inboxRetryMs, error.retryDelayMs)
        return nil
    }

    /// Handles the start of the follow of a parcel's channel.
    ///
    /// Senders send the whole tree before the letter. If the tree is incomplete now, it will never be complete. The fetch of an
    /// incomplete tree fails at once, so that the next letters in the inbox need not wait.
    mutating func didStartFollow(_ purpose: ParcelPurpose, lastSeq: UInt64, in step: inout Step) -> Event? {
        guard case .tree = purpose, let fetch = fetches[purpose] else { return nil }
        fetches[purpose]?.lastSeq = lastSeq
        return lastSeq < UInt64(fetch.address.partCount) ? fail(purpose, .gone, in: &step) : nil
    }

    /// Processes entries of a parcel's channel.
    mutating func take(_ entries: [Entry], of purpose: ParcelPurpose, in step: inout Step) -> Event? {
        for entry in entries {
            guard var fetch = fetches.removeValue(forKey: purpose) else { return nil }
            let isPart = fetch.take(entry)
            fetches[purpose] = fetch
            guard isPart else { return fail(purpose, .denied, in: &step) }
        }
        guard let fetch = fetches[purpose] else { return nil }
        guard let bytes = fetch.contents.whole else {
            guard let last = entries.last, last.seq >= fetch.lastSeq ?? .max else { return nil }
            return fail(purpose, .gone, in: &step)
        }
        forget(purpose, in: &step)
        return .came(purpose, bytes)
    }

    /// Drops a fetch. The result of the fetch is no longer needed.
    mutating func forget(_ purpose: ParcelPurpose, in step: inout Step) {
        guard let fetch = fetches.removeValue(forKey: purpose) else { return }
        step.unfollow(fetch.relay, fetch.followTag)
    }

    private mutating func fail(_ purpose: ParcelPurpose, _ code: RelayError.Code, in step: inout Step) -> Event {
        forget(purpose, in: &step)
        return .failed(purpose, code)
    }
}

/// The state of one fetch (see ``ParcelAddress``).
private struct ParcelFetch {
    let relay: RelayID
    private(set) var contents: ParcelContents
    var followTag: UInt64?
    /// The seq of the last entry that the relay had when the follow began.
    var lastSeq: UInt64?
    /// The number of entries that were received on this connection.
    private var entries = 0
    /// The start of the wait, in milliseconds; see ``Clocks/now``. Time without a connection to the relay counts too.
    let since: UInt64
    /// The time of the next attempt, in milliseconds; see ``Clocks/now``. `nil` unless the relay has asked for a pause.
    var retryAt: UInt64?

    init(_ address: ParcelAddress, at relay: RelayID, since: UInt64) {
        contents = ParcelContents(of: address)
        self.relay = relay
        self.since = since
    }

    var address: ParcelAddress { contents.address }

    /// Processes an entry.
    ///
    /// - Returns: `false` if the entry is not a part of the parcel, or if the relay has sent too many entries.
    mutating func take(_ entry: Entry) -> Bool {
        entries += 1
        let isPart = contents.take(entry.id, entry.payload)
        return isPart && entries <= 2 * address.partCount + 8
    }

    mutating func resetConnection() {
        followTag = nil
        lastSeq = nil
        entries = 0
        retryAt = nil
    }
}
