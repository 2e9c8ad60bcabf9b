import KithWire

/// Letters and key packages that wait for the owner of an inbox, and closing.
extension Hub {
    /// Takes room for an entry in an inbox, which never drops what waits in it to make room. Returns why there is none.
    func takeRoom(in inbox: HubChannel, _ bytes: Int, _ nextAccess: Access?, _ session: HubSession) -> RelayError? {
        guard nextAccess == nil else { return .denied }
        let head = inbox.tentative?.head ?? inbox.head
        let kept = head.lastSeq + 1 - head.firstSeq
        guard kept < UInt64(limits.inboxEntries), head.payloadBytes + UInt64(bytes) <= UInt64(limits.inboxBytes)
        else {
            return RelayError(
                .full, "the inbox is full until its owner has read it", detail: UInt64(limits.inboxEntries),
                retryAfterMs: RelayLimits.fullInboxRetryMs)
        }
        let letter = InboxShares.Letter(
            inbox: inbox.id, head: head, bytes: bytes, place: session.place, atNanoseconds: round.uptime)
        switch shares.take(letter) {
        case .taken: return nil
        case .full:
            return RelayError(
                .tooFast, "as much as one address may leave is waiting in this inbox",
                retryAfterMs: RelayLimits.fullInboxRetryMs)
        case .tooManyInboxes(let wait):
            return .tooFast("this address has written to as many inboxes as it may for now", waitNanoseconds: wait)
        }
    }

    /// Gives back what was taken for an entry that was not committed.
    func giveBackRoom(of append: ClientFrame, from connection: ConnectionNumber) {
        guard case .append(let channel, _, _, let payload) = append.request,
            channels[channel]?.head.kind == .inbox, let place = sessions[connection]?.place
        else { return }
        shares.giveBack(payload.count, of: channel, for: place)
    }

    func deposit(
        _ channel: ChannelID, _ keyPackages: [KeyPackageBytes], _ lastResort: KeyPackageBytes?, _ frame: ClientFrame,
        _ session: HubSession, _ connection: ConnectionNumber
    ) {
        guard let state = mayChangeShelf(.turn, channel, frame, session, connection) else { return }
        guard level < .noNew else { return answer(.error(.storeIsFull), to: connection, frame.requestID) }
        let (place, now) = (session.place, round.uptime)
        let bytes = keyPackages.reduce(lastResort.map { PlaceBudget.cost($0.bytes.count) } ?? 0) {
            $0 + PlaceBudget.cost($1.bytes.count)
        }
        var wait = budgets.take(keyPackages.count, \.keyPackages, of: place, atNanoseconds: now)
        if wait == 0 { wait = budgets.take(bytes, \.bytes, of: place, atNanoseconds: now) }
        guard wait == 0 else {
            return answer(.error(.overBudget(waitNanoseconds: wait)), to: connection, frame.requestID)
        }
        slowly(state.id) { hub in
            await hub.depositSlowly(channel, keyPackages, lastResort, frame.requestID, connection)
        }
    }

    func withdraw(
        _ channel: ChannelID, _ frame: ClientFrame, _ session: HubSession, _ connection: ConnectionNumber
    ) {
        guard let state = mayChangeShelf(.append, channel, frame, session, connection) else { return }
        let now = uptime()
        var wait = withdrawals.wait(of: session.place, at: channel, atNanoseconds: now)
        if wait == 0 { wait = state.withdrawals.take(atNanoseconds: now) }
        guard wait == 0 else {
            let error = RelayError.tooFast(
                "too many key packages were asked of this inbox, or by this address", waitNanoseconds: wait)
            return answer(.error(error), to: connection, frame.requestID)
        }
        withdrawals.charge(session.place, at: channel, atNanoseconds: now)
        slowly(state.id) { hub in await hub.withdrawSlowly(channel, frame.requestID, connection) }
    }

    func close(
        _ channel: ChannelID, _ frame: ClientFrame, _ session: HubSession, _ connection: ConnectionNumber
    ) {
        guard let state = mayChangeShelf(.turn, channel, frame, session, connection) else { return }
        slowly(state.id) { hub in await hub.closeSlowly(channel, frame.requestID, connection) }
    }

    func trim(
        _ channel: ChannelID, _ throughSeq: UInt64, _ frame: ClientFrame, _ session: HubSession,
        _ connection: ConnectionNumber
    ) {
        guard let state = mayChangeShelf(.turn, channel, frame, session, connection) else { return }
        guard state.head.kind == .inbox else { return deny(connection, frame.requestID) }
        slowly(channel) { hub in await hub.trimSlowly(channel, throughSeq, frame.requestID, connection) }
    }

    /// The channel, if this connection has `needed` in its current epoch and no entry of it is under way; otherwise the
    /// request is answered or waits.
    private func mayChangeShelf(
        _ needed: Rights, _ channel: ChannelID, _ frame: ClientFrame, _ session: HubSession,
        _ connection: ConnectionNumber
    ) -> HubChannel? {
        guard session.has(needed, in: channel) else {
            deny(connection, frame.requestID)
            return nil
        }
        guard let state = cached(channel), state.tentative == nil else {
            waitForRound(channel, frame, connection)
            return nil
        }
        guard session.rights(in: channel, epoch: state.head.epoch).contains(needed) else {
            deny(connection, frame.requestID)
            return nil
        }
        guard !state.head.isClosed else {
            answer(.error(.gone), to: connection, frame.requestID)
            return nil
        }
        return state
    }

    // MARK: The slow way

    /// Drops what the owner of an inbox has read.
    func trimSlowly(
        _ channel: ChannelID, _ throughSeq: UInt64, _ requestID: UInt32, _ connection: ConnectionNumber
    ) async {
        let reply = await deciding { () throws(StoreFailure) in
            guard let head = try await store.head(of: channel), !head.isClosed else { return .answer(.error(.gone)) }
            let firstSeq = min(throughSeq, head.lastSeq) + 1
            guard firstSeq > head.firstSeq else { return .answer(.done) }
            return .commit(.trim(channel: channel, firstSeq: firstSeq), then: .done)
        }
        if case .done = reply, let head = try? await store.head(of: channel) { channels[channel]?.setHead(head) }
        send(reply, requestID: requestID, to: connection)
    }

    func depositSlowly(
        _ channel: ChannelID, _ keyPackages: [KeyPackageBytes], _ lastResort: KeyPackageBytes?, _ requestID: UInt32,
        _ connection: ConnectionNumber
    ) async {
        let reply = await deciding { () throws(StoreFailure) in
            let shelf = try await store.shelf(of: channel)
            guard shelf.count + keyPackages.count <= limits.keyPackages else {
                let error = RelayError(.full, "the inbox has no room for more", detail: UInt64(limits.keyPackages))
                return .answer(.error(error))
            }
            return .commit(
                .deposit(
                    channel: channel, keyPackages: keyPackages, lastResort: lastResort, shelfVersion: shelf.version,
                    atMs: datingMs),
                then: .done)
        }
        send(reply, requestID: requestID, to: connection)
    }

    func withdrawSlowly(_ channel: ChannelID, _ requestID: UInt32, _ connection: ConnectionNumber) async {
        let reply = await deciding { () throws(StoreFailure) in
            let shelf = try await store.shelf(of: channel)
            if let next = shelf.next {
                return .commit(
                    .withdraw(channel: channel, position: next.position, shelfVersion: shelf.version),
                    then: .keyPackage(next.bytes, isLastResort: false))
            }
            if let lastResort = shelf.lastResort { return .answer(.keyPackage(lastResort, isLastResort: true)) }
            return .answer(.error(RelayError(.notFound, "the inbox has no key package to give")))
        }
        send(reply, requestID: requestID, to: connection)
    }
}
