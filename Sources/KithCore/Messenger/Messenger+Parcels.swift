import KithWire
import MLS

/// What somebody waits for a parcel for.
enum ParcelPurpose: Hashable, Comparable, Sendable {
    /// The tree of the group that the first entry of an inbox's queue invites to.
    case tree(InboxID)
    /// The commit of the turn that a conversation's log has come to.
    case commit(ConversationID)
}

/// A parcel that is on its way (see ``ParcelAddress``).
struct ParcelFetch {
    let relay: RelayID
    var contents: ParcelContents
    var followTag: UInt64?
    /// The last entry that was there when the follow began.
    var lastSeq: UInt64?
    /// How many entries came.
    var entries = 0
    /// When it began, in milliseconds since 1970: what lies at a relay that is never there is not waited for.
    var since: UInt64
    /// When to begin anew, in milliseconds since 1970: the relay asked for patience.
    var retryAt: UInt64?

    init(_ address: ParcelAddress, at relay: RelayID, since: UInt64) {
        contents = ParcelContents(of: address)
        self.relay = relay
        self.since = since
    }

    var address: ParcelAddress { contents.address }

    mutating func hangUp() {
        followTag = nil
        lastSeq = nil
        entries = 0
        retryAt = nil
    }
}

// What is too long for an entry, put into a channel of its own and fetched from there.

extension Messenger {
    // MARK: Out

    /// Puts something into a channel that is made for it.
    ///
    /// - Returns: where it will be, and the number of the delivery that others may wait for.
    func deliverParcel(
        _ bytes: [UInt8], _ intent: UInt64, _ conversation: Conversation
    ) throws(KithError) -> (ParcelAddress, delivery: UInt64) {
        guard bytes.count <= ClientLimits.parcel else { throw .tooLong(limit: ClientLimits.parcel) }
        let (read, write) = (Token.random(from: random), Token.random(from: random))
        let address = ParcelAddress(
            channel: .random(from: random), readToken: read, key: random.bytes(32), length: UInt32(bytes.count))
        let parts = (address.seal(bytes) ?? []).map { ChannelDelivery.Part(id: .random(from: random), payload: $0) }
        let number = try deliver(
            ChannelDelivery(
                relay: conversation.record.relay, channel: address.channel, appendToken: write,
                access: Access(read: Grant(for: read), append: Grant(for: write), turn: Grant(for: write)),
                parts: parts, after: nil, conversation: conversation.id, intent: intent))
        return (address, number)
    }

    // MARK: In

    /// - Parameter since: when it began to be waited for, in milliseconds since 1970.
    func fetch(_ address: ParcelAddress, at relay: RelayID, for purpose: ParcelPurpose, since: UInt64) {
        parcels[purpose] = ParcelFetch(address, at: relay, since: since)
        relays.want(relay, in: &step)
        openParcel(purpose)
    }

    /// Begins to fetch, or begins again.
    func openParcel(_ purpose: ParcelPurpose) {
        guard let parcel = parcels[purpose], relays.isConnected(parcel.relay), parcel.followTag == nil else { return }
        request(
            parcel.relay, .present(channel: parcel.address.channel, epoch: 0, tokens: [parcel.address.readToken]),
            for: .presentParcel(purpose))
        parcels[purpose]?.followTag = follow(
            parcel.relay, parcel.address.channel, epoch: 0, fromSeq: 1, for: .parcel(purpose))
    }

    /// Begins again what the relay asked patience for, and gives up what is waited for too long.
    func tickParcels() throws(KithError) {
        for purpose in parcels.keys.sorted() {
            guard let parcel = parcels[purpose] else { continue }
            if parcel.since + ClientLimits.parcelMs <= now {
                try giveUp(purpose, .denied)
            } else if let retryAt = parcel.retryAt, retryAt <= now {
                parcels[purpose]?.retryAt = nil
                openParcel(purpose)
            }
        }
    }

    func didPresentParcel(_ purpose: ParcelPurpose, _ result: Result<Reply, RelayError>) throws(KithError) {
        if case .failure(let error) = result { try didRefuseParcel(purpose, error) }
    }

    func didRefuseParcel(_ purpose: ParcelPurpose, _ error: RelayError) throws(KithError) {
        guard let parcel = parcels[purpose], parcel.retryAt == nil else { return }
        guard error.code.isPassing else { return try giveUp(purpose, error.code) }
        unfollow(parcel.relay, parcel.followTag)
        parcels[purpose]?.hangUp()
        parcels[purpose]?.retryAt = now + max(ClientLimits.inboxPatienceMs, error.patienceMs)
    }

    /// A letter is sent after all of its tree is at the relay. A tree that is not there never comes, and does not hold up the
    /// letters behind it.
    func didStartFollow(parcel purpose: ParcelPurpose, lastSeq: UInt64) throws(KithError) {
        guard case .tree = purpose, let parcel = parcels[purpose] else { return }
        parcels[purpose]?.lastSeq = lastSeq
        if lastSeq < UInt64(parcel.address.partCount) { try giveUp(purpose, .gone) }
    }

    func process(_ entries: [Entry], parcel purpose: ParcelPurpose) throws(KithError) {
        for entry in entries {
            guard var parcel = parcels.removeValue(forKey: purpose) else { return }
            parcel.entries += 1
            let isPart = parcel.contents.take(entry.id, entry.payload)
            let isTooMany = parcel.entries > 2 * parcel.address.partCount + 8
            parcels[purpose] = parcel
            guard isPart, !isTooMany else { return try giveUp(purpose, .denied) }
        }
        guard let parcel = parcels[purpose] else { return }
        guard let bytes = parcel.contents.whole else {
            if let last = entries.last, last.seq >= parcel.lastSeq ?? .max { try giveUp(purpose, .gone) }
            return
        }
        forgetParcel(purpose)
        switch purpose {
        case .tree(let inbox): try didFetchTree(bytes, inbox)
        case .commit(let conversation): try didFetchCommit(bytes, conversation)
        }
    }

    func forgetParcel(_ purpose: ParcelPurpose) {
        guard let parcel = parcels.removeValue(forKey: purpose) else { return }
        unfollow(parcel.relay, parcel.followTag)
    }

    /// It is not to be had.
    private func giveUp(_ purpose: ParcelPurpose, _ code: RelayError.Code) throws(KithError) {
        forgetParcel(purpose)
        switch purpose {
        case .tree(let inbox): try didNotFetchTree(inbox)
        case .commit(let id):
            if let conversation = conversations[id] {
                try stop(conversation, code == .trimmed || code == .gone ? .trimmed : .brokenLog)
            }
        }
    }
}
