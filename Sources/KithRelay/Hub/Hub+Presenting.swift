import KithWire

/// The requests `create` and `present`, which require no access right. Any client can send a `create` or a `present` about any
/// channel.
///
/// `create` and `present` never make a channel busy. `create` and `present` requests wait in a separate queue of the channel,
/// apart from the requests of clients with an access right. One read of the store answers the whole queue. If the hub cannot
/// grant a `present` from memory alone, the hub always takes the same steps. The steps do not depend on whether the channel,
/// the epoch or the right is missing.
extension Hub {
    /// The store's data about one channel. All requests of one queue share this data.
    private struct StoreSnapshot {
        var head: ChannelHead??
        var epochs: [UInt64: EpochRecord?] = [:]
    }

    func create(_ item: HubEvent, _ address: ReplyAddress, _ session: HubSession) {
        let wait = budgets.take(1, \.channels, of: session.source, atNanoseconds: round.uptime)
        guard wait == 0 else { return answer(.error(.overBudget(waitNanoseconds: wait)), to: address) }
        round.unproven.append(item)
    }

    func present(_ id: ChannelID, _ epoch: UInt64, _ tokens: [Token], _ item: HubEvent, _ address: ReplyAddress) {
        guard let session = sessions[item.connection], let channel = channels[id], channel.head.epoch == epoch,
            channel.tentative == nil, !channel.head.isClosed,
            let rights = channel.head.access.rights(presenting: tokens)
        else { return round.unproven.append(item) }
        channel.isUsed = true
        noteUse(of: channel)
        answer(grant(rights, in: id, epoch, to: session), to: address)
    }

    private func grant(_ rights: Rights, in channel: ChannelID, _ epoch: UInt64, to session: HubSession) -> Reply {
        guard session.hasPresented(channel) || session.presentedChannels < limits.presentedChannels else {
            return .error(
                RelayError(
                    .tooMany, "too many channels on one connection", detail: UInt64(limits.presentedChannels)))
        }
        session.grant(rights, in: channel, epoch: epoch, keeping: limits.presentedEpochs)
        return .granted(rights)
    }

    // MARK: The queue of a channel

    /// Adds a request to its channel's queue, and starts the task that answers the queue.
    func enqueueUnproven(_ item: HubEvent) {
        guard case .request(let frame) = item.event, let channel = frame.request.channel,
            unproven.enqueue(item, for: channel)
        else { return }
        withStoreAccess { hub in await hub.answerUnproven(of: channel) }
    }

    private func answerUnproven(of channel: ChannelID) async {
        while true {
            let items = unproven.takeAll(for: channel)
            guard !items.isEmpty else { return }
            var snapshot = StoreSnapshot()
            for item in items {
                guard case .request(let frame) = item.event else { continue }
                let reply: Reply
                switch frame.request {
                case .create(_, let kind, let access, let retentionSeconds):
                    reply = await create(channel, kind, access, retentionSeconds, &snapshot)
                case .present(_, let epoch, let tokens):
                    reply = await present(channel, epoch, tokens, item.connection, &snapshot)
                default:
                    continue
                }
                send(reply, to: ReplyAddress(connection: item.connection, requestID: frame.requestID))
            }
            flush()
        }
    }

    private func create(
        _ channel: ChannelID, _ kind: ChannelKind, _ access: Access, _ retentionSeconds: UInt32?,
        _ snapshot: inout StoreSnapshot
    ) async -> Reply {
        let retention = min(retentionSeconds ?? .max, UInt32(limits.retentionSeconds))
        let new = ChannelHead(created: access, kind: kind, retentionSeconds: retention, atMs: clock.recordMs)
        var isNew = false
        let reply = await decideWithStore { () throws(StoreFailure) in
            isNew = false
            if let head = try await head(of: channel, &snapshot) {
                let isSame = try await record(of: 0, in: channel, &snapshot)?.access == access && head.kind == kind
                return .answer(
                    isSame && !head.isClosed
                        ? .done : .error(RelayError(.exists, "the channel exists already")))
            }
            guard health.level < .noNew else { return .answer(.error(.storeIsFull)) }
            isNew = true
            // The channel exists now, so later requests in the queue must read the store again.
            snapshot = StoreSnapshot()
            return .commit(
                .create(
                    channel: channel, kind: kind, access: access, retentionSeconds: retention, atMs: new.createdMs),
                then: .done)
        }
        if case .done = reply, isNew, channels[channel] == nil, !busy.contains(channel) {
            // Only a channel that was just created is known to have no entries. An existing channel is loaded when a client uses
            // it.
            let ids = EntryIDWindow(idBounds, uptimeMs: uptimeMs)
            channels.changeIDs(of: insert(channel, new)) { $0.setIDs(ids) }
        }
        return reply
    }

    private func present(
        _ id: ChannelID, _ epoch: UInt64, _ tokens: [Token], _ connection: ConnectionNumber,
        _ snapshot: inout StoreSnapshot
    ) async -> Reply {
        var isProved = false
        do throws(StoreFailure) {
            let record = try await record(of: epoch, in: id, &snapshot)
            guard let rights = record?.access.rights(presenting: tokens) else { return .error(.denied) }
            isProved = true
            guard let head = try await head(of: id, &snapshot) else { return .error(.denied) }
            guard !head.isClosed else { return .error(.gone) }
            guard let session = sessions[connection] else { return .error(.denied) }
            if let channel = channels.use(id) {
                noteUse(of: channel)
            } else {
                // A client that presents a channel most often uses it next, so the channel is loaded now.
                withStoreAccess(id) { hub in
                    if let channel = try? await hub.load(id) { hub.noteUse(of: channel) }
                }
            }
            return grant(rights, in: id, epoch, to: session)
        } catch {
            guard error.isDamage else { return .error(RelayError(error)) }
            metrics.damagedReads.count()
            // A client that has proved no right gets the same answer as for a channel that does not exist.
            return .error(isProved ? RelayError(error) : .denied)
        }
    }

    private func head(
        of channel: ChannelID, _ snapshot: inout StoreSnapshot
    ) async throws(StoreFailure) -> ChannelHead? {
        if let known = snapshot.head { return known }
        let head = try await store.head(of: channel)
        snapshot.head = .some(head)
        return head
    }

    private func record(
        of epoch: UInt64, in channel: ChannelID, _ snapshot: inout StoreSnapshot
    ) async throws(StoreFailure) -> EpochRecord? {
        if let known = snapshot.epochs[epoch] { return known }
        let record = try await store.epoch(epoch, of: channel)
        snapshot.epochs.updateValue(record, forKey: epoch)
        return record
    }
}
