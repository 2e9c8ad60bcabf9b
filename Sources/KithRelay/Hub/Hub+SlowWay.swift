import KithWire

/// The requests that have to ask the store first. Each runs while its channel is busy, so nothing else changes the channel
/// meanwhile on this relay; another relay on the same store is noticed by the condition of the mutation.
extension Hub {
    /// How often a mutation is decided anew after conflicts before the client is told to come again.
    private static let attempts = 8

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
            if let place, sessions[item.connection]?.place != place || !frame.request.needsEntryIDs {
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
            return RelayError(
                .tooFast, "too much had to be looked up for this address",
                retryAfterMs: UInt32(clamping: wait / 1_000_000 + 1))
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
    private func load(_ channel: ChannelID) async throws(StoreFailure) -> HubChannel? {
        if let state = cached(channel) { return state }
        guard let head = try await store.head(of: channel) else { return nil }
        // A round may have been decided meanwhile, but not on this channel: it is busy.
        return insert(channel, head)
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

    func createSlowly(
        _ channel: ChannelID, _ new: ChannelHead, _ requestID: UInt32, _ connection: ConnectionNumber
    ) async {
        let reply = await deciding { () throws(StoreFailure) in
            if let head = try await store.head(of: channel) {
                let access = head.epoch == 0 ? head.access : try await store.epoch(0, of: channel)?.access
                let isSame = access == new.access && head.kind == new.kind && !head.isClosed
                return .answer(isSame ? .done : .error(RelayError(.exists, "there is such a channel already")))
            }
            guard level < .noNew else { return .answer(.error(.storeIsFull)) }
            return .commit(
                .create(
                    channel: channel, kind: new.kind, access: new.access, retentionSeconds: new.retentionSeconds,
                    atMs: new.createdMs),
                then: .done)
        }
        if case .done = reply, channels[channel] == nil {
            // Only what was just created is known to have no entries; what existed is loaded when it is used.
            if let head = try? await store.head(of: channel), head.lastSeq == 0 {
                let ids = EntryIDWindow(idBounds, uptimeMs: uptimeMs)
                changeIDs(of: insert(channel, head)) { $0.setIDs(ids) }
            }
        }
        send(reply, requestID: requestID, to: connection)
    }

    func presentSlowly(
        _ channel: ChannelID, _ epoch: UInt64, _ tokens: [Token], _ requestID: UInt32, _ connection: ConnectionNumber
    ) async {
        var access = Access.nobody
        var isGone = false
        do throws(StoreFailure) {
            if let state = try await load(channel) {
                isGone = state.head.isClosed
                if state.head.epoch == epoch {
                    access = state.head.access
                } else if let record = try await store.epoch(epoch, of: channel) {
                    access = record.access
                }
            }
        } catch {
            let refusal = await refusal(of: tokens, epoch, channel, after: error)
            return send(.error(refusal), requestID: requestID, to: connection)
        }
        guard let session = sessions[connection] else { return }
        let reply = grant(channel, epoch, access, tokens, session, isGone: isGone)
        send(reply, requestID: requestID, to: connection)
    }

    /// The refusal of a `present` for which the store failed. Only a connection whose tokens stand for a right hears that the
    /// channel is damaged: for any other it is as if there were none.
    private func refusal(
        of tokens: [Token], _ epoch: UInt64, _ channel: ChannelID, after failure: StoreFailure
    ) async -> RelayError {
        guard failure.isDamage else { return RelayError(failure) }
        metrics.damagedReads.count()
        let access = (try? await store.epoch(epoch, of: channel))?.access ?? .nobody
        return access.rights(presenting: tokens) == nil ? .denied : RelayError(failure)
    }

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
    /// Whether deciding it takes the channel's recent entry ids.
    fileprivate var needsEntryIDs: Bool {
        switch self {
        case .append, .turn: true
        default: false
        }
    }
}
