import KithWire

/// The requests that need a read of the store. While a request about a channel reads the store, the channel is busy, and this
/// relay makes no other change to the channel. If a second relay that uses the same store changes the channel, the condition of
/// this relay's mutation fails.
extension Hub {
    /// Number of attempts at a mutation that conflicts. After the last attempt, the client is told to try again.
    private static let attempts = 8

    /// Makes the channel busy and runs `work`. Then resumes the requests about the channel that arrived during `work`, in the
    /// order of arrival.
    func withStoreAccess(_ channel: ChannelID, _ work: @escaping @Sendable (isolated Hub) async -> Void) {
        busy.begin(channel)
        withStoreAccess { hub in
            await work(hub)
            hub.resumed.append(contentsOf: hub.busy.end(channel))
        }
    }

    /// Runs `work` at the same time as the rounds. Makes no channel busy.
    func withStoreAccess(_ work: @escaping @Sendable (isolated Hub) async -> Void) {
        storeTasks += 1
        Task {
            await work(self)
            storeTasks -= 1
            flush()
            wake()
        }
    }

    // MARK: Decisions

    enum Decision: Sendable {
        case answer(Reply)
        case commit(StoreMutation, then: Reply)
    }

    /// Calls `decide` and commits the mutation that `decide` returns. `decide` may read the store. If the store has changed since
    /// the read, calls `decide` again.
    func decideWithStore(_ decide: () async throws(StoreFailure) -> Decision) async -> Reply {
        for _ in 0..<Self.attempts {
            do throws(StoreFailure) {
                switch try await decide() {
                case .answer(let reply):
                    return reply
                case .commit(let mutation, let reply):
                    switch await commitWithNextRound(mutation) {
                    case .committed: return reply
                    case .conflict: continue
                    case .failed(let failure): return .error(RelayError(failure))
                    }
                }
            } catch {
                return .error(RelayError(error))
            }
        }
        return .error(RelayError(.unavailable, "too many changes at once", retryAfterMs: 1_000))
    }

    // MARK: Loading

    /// Loads the channel into memory, then resumes the request.
    ///
    /// The request resumes in the next round, so this function also serves a request that only has to wait for the end of the
    /// current round.
    ///
    /// - Parameter needsIDs: whether the request also needs the channel's entry ids. If the ids have to be loaded, the
    ///   connection's source is charged for the work.
    func waitForChannel(_ channel: ChannelID, _ request: HubRequest, needsIDs: Bool = false) {
        if !busy.contains(channel) {
            let payer = needsIDs ? sessions[request.connection]?.source : nil
            withStoreAccess(channel) { hub in
                guard let error = await hub.loadForWaiting(channel, idsFor: payer) else { return }
                hub.refuseWaiting(for: channel, error, of: error.code == .tooFast ? payer : nil)
            }
        }
        busy.enqueue(request.event, for: channel)
    }

    /// Refuses the waiting requests for a channel. Called if the channel could not be loaded. Resumed requests would only try to
    /// load the channel again.
    ///
    /// - Parameter source: a source that may not load entry ids now, or `nil`. If there is a source, only requests of this source
    ///   that need entry ids are refused.
    private func refuseWaiting(for channel: ChannelID, _ error: RelayError, of source: ClientSource?) {
        let refused = busy.removeWaiting(for: channel) { item in
            // A request that requires no access right reads the store itself.
            guard case .request(let frame) = item.event, frame.request.needsRight else { return false }
            guard let source else { return true }
            return sessions[item.connection]?.source == source && frame.request.needsEntryIDs
        }
        for item in refused {
            guard case .request(let frame) = item.event else { continue }
            send(.error(error), to: ReplyAddress(connection: item.connection, requestID: frame.requestID))
        }
    }

    private func loadForWaiting(_ id: ChannelID, idsFor payer: ClientSource?) async -> RelayError? {
        do throws(StoreFailure) {
            guard let channel = try await load(id) else { return .denied }
            guard let payer, channel.ids == nil, !channel.head.isClosed else { return nil }
            return try await loadIDs(of: channel, for: payer)
        } catch {
            return RelayError(error)
        }
    }

    /// Loads the ids of the entries that the channel accepted within the lifetime of an id. Returns the refusal if the source
    /// may not load ids now, otherwise `nil`. A channel in heavy use has a million ids, so large loads run one at a time, and
    /// each source pays for its loads. A large set of ids is assembled on another thread.
    private func loadIDs(of channel: HubChannel, for payer: ClientSource) async throws(StoreFailure) -> RelayError? {
        let kept = channel.head.lastSeq + 1 - channel.head.firstSeq
        let isLarge = kept > UInt64(RelayLimits.fewEntryIDs)
        if isLarge { await withCheckedContinuation { largeLoads.enter($0) } }
        defer { if isLarge { largeLoads.leave() } }
        let wait = idLoads.wait(of: payer, atNanoseconds: uptime())
        guard wait == 0 else {
            return .tooFast("this address has caused too many look-ups for now", waitNanoseconds: wait)
        }
        // Many small loads can be under way at once. So the source is charged for each small load before the read, for all
        // entries that the channel keeps.
        if !isLarge { idLoads.charge(Int(clamping: kept), to: payer, atNanoseconds: uptime()) }
        // The earlier of the machine's time and the relay's time is used, because the machine's clock may be wrong.
        let now = min(nowMs(), clock.retentionMs)
        let known = try await store.entryIDs(of: channel.id, receivedSinceMs: now - min(now, idBounds.lifetimeMs))
        if isLarge { idLoads.charge(known.count, to: payer, atNanoseconds: uptime()) }
        let window =
            isLarge
            ? await EntryIDWindow.elsewhere(idBounds, uptimeMs: uptimeMs, known: known)
            : EntryIDWindow(idBounds, uptimeMs: uptimeMs, known: known)
        if channels.contains(channel) { channels.changeIDs(of: channel) { $0.setIDs(window) } }
        // Eviction may have examined the channel during the load, so the channel is marked as used again.
        channel.isUsed = true
        return nil
    }

    /// Returns the channel from memory. If the channel is not in memory, loads it from the store.
    func load(_ id: ChannelID) async throws(StoreFailure) -> HubChannel? {
        if let channel = channels.use(id) { return channel }
        guard let head = try await store.head(of: id) else { return nil }
        // The channel is busy, so no round has changed the channel in the meantime. But another task may have loaded the
        // channel.
        return channels.use(id) ?? insert(id, head)
    }

    /// Adds a channel to memory. Then evicts idle channels if there are too many. The new channel counts as used, so it stays.
    func insert(_ id: ChannelID, _ head: ChannelHead) -> HubChannel {
        let channel = channels.insert(id, head)
        evictChannels(examining: RelayLimits.examinedForEach)
        return channel
    }

    func evictChannels(examining count: Int) {
        channels.evict(examining: count, atNanoseconds: uptime()) { busy.contains($0) }
    }

    /// Loads a channel's state from the store. Called if a mutation of the channel was not committed.
    func reload(_ channel: HubChannel) {
        let id = channel.id
        withStoreAccess(id) { hub in
            let head = try? await hub.store.head(of: id)
            guard let channel = hub.channels[id] else { return }
            // Ids are expensive to load. If no entry was added, the loaded ids are still complete, for example after a full disk
            // has refused every append.
            if head?.lastSeq != channel.head.lastSeq { hub.channels.changeIDs(of: channel) { $0.forgetIDs() } }
            guard let head else { return }
            let before = channel.head
            channel.setHead(head)
            guard head.lastSeq > before.lastSeq else { return }
            hub.broadcast(.advanced(toSeq: head.lastSeq), of: id, to: channel.followers)
            if head.epoch != before.epoch {
                for number in channel.takeFollowers().joined() { hub.sessions[number]?.follows.remove(id) }
            }
        }
    }

    // MARK: Follows

    func followFromStore(
        _ id: ChannelID, _ epoch: UInt64, _ fromSeq: UInt64, _ address: ReplyAddress
    ) async {
        do throws(StoreFailure) {
            let channel = try await load(id)
            var record: EpochRecord?
            if let channel, channel.head.epoch != epoch { record = try await store.epoch(epoch, of: id) }
            guard let session = sessions[address.connection] else { return }
            guard let channel, channel.head.epoch == epoch || record != nil || channel.head.isClosed else {
                return send(.error(.denied), to: address)
            }
            let span =
                channel.head.epoch == epoch ? EpochSpan(current: channel.head) : EpochSpan(past: epoch, record)
            let (reply, effect) = startFollow(of: channel, span, fromSeq, address.connection, session)
            send(reply, to: address, effect: effect)
        } catch {
            send(.error(RelayError(error)), to: address)
        }
    }

    // MARK: Names

    func register(_ record: NameRecord, _ source: ClientSource, _ address: ReplyAddress) {
        withStoreAccess { hub in
            let reply = await hub.decideWithStore { () throws(StoreFailure) in
                let current = try await hub.store.record(under: record.name)
                let replaced: UInt64?
                switch hub.names.judge(record, against: current, nowMs: hub.clock.retentionMs) {
                case .isUnchanged:
                    return .answer(.done)
                case .isRefused:
                    return .answer(
                        .error(RelayError(.exists, "the name belongs to someone else, or has a newer record")))
                case .isNew:
                    guard hub.health.level < .noNew else { return .answer(.error(.storeIsFull)) }
                    let wait = hub.budgets.take(1, \.names, of: source, atNanoseconds: hub.uptime())
                    guard wait == 0 else { return .answer(.error(.overBudget(waitNanoseconds: wait))) }
                    replaced = nil
                case .replaces(let version):
                    replaced = version
                }
                return .commit(
                    .register(record: record, replacing: replaced, atMs: hub.clock.recordMs), then: .done)
            }
            hub.send(reply, to: address)
        }
    }

    func lookUp(_ name: Name, _ address: ReplyAddress) {
        withStoreAccess { hub in
            let reply = await hub.decideWithStore { () throws(StoreFailure) in
                guard let found = try await hub.store.record(under: name),
                    hub.names.isFound(found, nowMs: hub.clock.retentionMs)
                else { return .answer(.error(RelayError(.notFound, "no record is registered under this name"))) }
                return .answer(.record(found.record.unverified))
            }
            hub.send(reply, to: address)
        }
    }
}

extension Request {
    /// Whether the request is refused if the connection has proved no right.
    fileprivate var needsRight: Bool {
        switch self {
        case .create, .present: false
        default: true
        }
    }

    /// Whether the decision of the request needs the channel's recent entry ids.
    fileprivate var needsEntryIDs: Bool {
        switch self {
        case .append, .turn: true
        default: false
        }
    }
}
