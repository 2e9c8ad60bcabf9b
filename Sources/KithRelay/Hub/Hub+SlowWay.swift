import KithWire

/// The requests that have to ask the store first. Each runs while its channel is busy, so nothing else changes the channel
/// meanwhile on this relay; another relay on the same store is noticed by the condition of the mutation.
extension Hub {
    /// How often a mutation is decided anew after conflicts before the client is told to come again.
    private static let attempts = 8

    /// Makes the channel busy, runs `work`, and then lets the requests that came meanwhile go on, in their order.
    func slowly(_ channel: ChannelID, _ work: @escaping @Sendable (isolated Hub) async -> Void) {
        busy[channel, default: Busy()].tasks += 1
        slowly { hub in
            await work(hub)
            hub.busy[channel]?.tasks -= 1
            if hub.busy[channel]?.tasks == 0 {
                hub.resumed.append(contentsOf: hub.busy.removeValue(forKey: channel)?.waiting ?? [])
            }
        }
    }

    /// Runs `work`, which is about no channel, beside the rounds.
    func slowly(_ work: @escaping @Sendable (isolated Hub) async -> Void) {
        slowTasks += 1
        Task {
            await work(self)
            slowTasks -= 1
            flush()
            wake()
        }
    }

    // MARK: Loading

    /// Brings the channel's state into memory, then lets the request go on.
    ///
    /// Also the way to wait for the end of this round: what is busy goes on in the next.
    ///
    /// - Parameter needsIDs: whether the request needs the channel's entry ids too. The connection's address is charged
    ///   for those that have to be loaded.
    func waitForRound(
        _ channel: ChannelID, _ frame: ClientFrame, _ connection: ConnectionNumber, needsIDs: Bool = false
    ) {
        if busy[channel] == nil {
            let payer = needsIDs ? sessions[connection]?.place : nil
            slowly(channel) { hub in
                guard let error = await hub.bringIn(channel, idsFor: payer) else { return }
                hub.refuseWaiting(for: channel, error, of: error.code == .tooFast ? payer : nil)
            }
        }
        busy[channel]?.waiting.append(IntakeItem(connection: connection, intake: .request(frame)))
    }

    /// Refuses those who wait for a channel: their requests would only start the loading again. If it was one address that
    /// may not load entry ids now, only its own that need them.
    private func refuseWaiting(for channel: ChannelID, _ error: RelayError, of place: Place?) {
        let waiting = busy[channel]?.waiting ?? []
        busy[channel]?.waiting = []
        for item in waiting {
            guard case .request(let frame) = item.intake else { continue }
            if !frame.request.needsRight {
                // It looks for itself.
                busy[channel]?.waiting.append(item)
            } else if let place, sessions[item.connection]?.place != place || !frame.request.needsEntryIDs {
                busy[channel]?.waiting.append(item)
            } else {
                send(.error(error), requestID: frame.requestID, to: item.connection)
            }
        }
    }

    private func bringIn(_ channel: ChannelID, idsFor payer: Place?) async -> RelayError? {
        do throws(StoreFailure) {
            guard let state = try await load(channel) else { return .denied }
            guard let payer, state.ids == nil, !state.head.isClosed else { return nil }
            return try await loadIDs(of: state, for: payer)
        } catch {
            return RelayError(error)
        }
    }

    /// Loads the entry ids that the channel took within their lifetime. A busy channel has a million: such loads go one
    /// at a time, each address is charged for its own, and none of them is put together on the hub's thread.
    private func loadIDs(of state: HubChannel, for payer: Place) async throws(StoreFailure) -> RelayError? {
        let kept = state.head.lastSeq + 1 - state.head.firstSeq
        let isLarge = kept > UInt64(RelayLimits.fewEntryIDs)
        if isLarge { await withCheckedContinuation { largeLoads.enter($0) } }
        defer { if isLarge { largeLoads.leave() } }
        let wait = charges.wait(of: payer, atNanoseconds: uptime())
        guard wait == 0 else {
            return .tooFast("too much had to be looked up for this address", waitNanoseconds: wait)
        }
        // Many small ones may be under way at once: each is charged before it is read, and so for all that is kept.
        if !isLarge { charges.charge(Int(clamping: kept), to: payer, atNanoseconds: uptime()) }
        // Also while the machine's clock may be wrong.
        let now = min(nowMs(), keptMs)
        let known = try await store.entryIDs(of: state.id, receivedSinceMs: now - min(now, idBounds.lifetimeMs))
        if isLarge { charges.charge(known.count, to: payer, atNanoseconds: uptime()) }
        let window =
            isLarge
            ? await EntryIDWindow.elsewhere(idBounds, uptimeMs: uptimeMs, known: known)
            : EntryIDWindow(idBounds, uptimeMs: uptimeMs, known: known)
        if channels[state.id] === state { changeIDs(of: state) { $0.setIDs(window) } }
        // It was looked at for being forgotten while it was loaded.
        state.isUsed = true
        return nil
    }

    /// The channel's state, from memory or from the store.
    func load(_ channel: ChannelID) async throws(StoreFailure) -> HubChannel? {
        if let state = cached(channel) { return state }
        guard let head = try await store.head(of: channel) else { return nil }
        // A round may have been decided meanwhile, but not on this channel: it is busy. Another task may have loaded it.
        return cached(channel) ?? insert(channel, head)
    }

    /// Asks the store what the channel really is like, after something was not committed as decided.
    func reload(_ state: HubChannel) {
        let channel = state.id
        slowly(channel) { hub in
            let head = try? await hub.store.head(of: channel)
            guard let state = hub.channels[channel] else { return }
            // They are dear to load, and still all of them if nothing came: a disk that is full refuses every append.
            if head?.lastSeq != state.head.lastSeq { hub.changeIDs(of: state) { $0.forgetIDs() } }
            guard let head else { return }
            let before = state.head
            state.setHead(head)
            guard head.lastSeq > before.lastSeq else { return }
            hub.broadcast(.advanced(toSeq: head.lastSeq), of: channel, to: state.followers)
            if head.epoch != before.epoch {
                for number in state.takeFollowers().joined() { hub.sessions[number]?.follows.remove(channel) }
            }
        }
    }

    // MARK: Channels

    func followSlowly(
        _ channel: ChannelID, _ epoch: UInt64, _ fromSeq: UInt64, _ requestID: UInt32, _ connection: ConnectionNumber
    ) async {
        do throws(StoreFailure) {
            let state = try await load(channel)
            var record: EpochRecord?
            if let state, state.head.epoch != epoch { record = try await store.epoch(epoch, of: channel) }
            guard let session = sessions[connection] else { return }
            guard let state, state.head.epoch == epoch || record != nil || state.head.isClosed else {
                return send(.error(.denied), requestID: requestID, to: connection)
            }
            let (reply, effect) = startFollow(state, record, epoch, fromSeq, session, connection)
            send(reply, requestID: requestID, to: connection, effect: effect)
        } catch {
            send(.error(RelayError(error)), requestID: requestID, to: connection)
        }
    }

    func closeSlowly(_ channel: ChannelID, _ requestID: UInt32, _ connection: ConnectionNumber) async {
        let reply = await deciding { () throws(StoreFailure) in
            guard let head = try await store.head(of: channel), !head.isClosed else { return .answer(.error(.gone)) }
            return .commit(.close(channel: channel, lastSeq: head.lastSeq), then: .done)
        }
        if case .done = reply, let state = channels[channel] {
            endFollows(of: state)
            forget(state)
        }
        send(reply, requestID: requestID, to: connection)
    }

    // MARK: Conditional appends

    enum Decision: Sendable {
        case answer(Reply)
        case commit(StoreMutation, then: Reply)
    }

    /// Decides on what the store says, commits, and decides anew if the store has moved on meanwhile.
    func deciding(_ decide: () async throws(StoreFailure) -> Decision) async -> Reply {
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
}

extension Request {
    /// Whether it is refused to a connection that has proved nothing.
    fileprivate var needsRight: Bool {
        switch self {
        case .create, .present: false
        default: true
        }
    }

    /// Whether deciding it takes the channel's recent entry ids.
    fileprivate var needsEntryIDs: Bool {
        switch self {
        case .append, .turn: true
        default: false
        }
    }
}
