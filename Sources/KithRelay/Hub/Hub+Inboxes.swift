import KithWire

/// Requests about the letters and key packages of an inbox, and the closing of channels.
extension Hub {
    /// Reserves space for an entry in an inbox. Returns `nil` if the space was reserved, otherwise the refusal of the entry. An
    /// inbox never drops waiting entries to free space.
    func takeRoom(in inbox: HubChannel, _ bytes: Int, _ nextAccess: Access?, _ session: HubSession) -> RelayError? {
        guard nextAccess == nil else { return .denied }
        let head = inbox.tentative?.head ?? inbox.head
        let kept = head.lastSeq + 1 - head.firstSeq
        guard kept < UInt64(limits.inboxEntries), head.payloadBytes + UInt64(bytes) <= UInt64(limits.inboxBytes)
        else {
            return RelayError(
                .full, "the inbox is full until its owner reads it", detail: UInt64(limits.inboxEntries),
                retryAfterMs: RelayLimits.fullInboxRetryMs)
        }
        let letter = InboxShares.Letter(
            inbox: inbox.id, head: head, bytes: bytes, source: session.source, atNanoseconds: round.uptime)
        switch shares.take(letter) {
        case .taken: return nil
        case .full:
            return RelayError(
                .tooFast, "this address has too many unread letters in this inbox",
                retryAfterMs: RelayLimits.fullInboxRetryMs)
        case .tooManyInboxes(let wait):
            return .tooFast("this address has written to too many inboxes for now", waitNanoseconds: wait)
        }
    }

    /// Frees the space that was reserved for an entry. Called if the entry was not committed.
    func giveBackRoom(of append: ClientFrame, from connection: ConnectionNumber) {
        guard case .append(let channel, _, _, let payload) = append.request,
            channels[channel]?.head.kind == .inbox, let source = sessions[connection]?.source
        else { return }
        shares.giveBack(payload.count, of: channel, for: source)
    }

    func deposit(
        _ id: ChannelID, _ keyPackages: [KeyPackageBytes], _ lastResort: KeyPackageBytes?, _ request: HubRequest,
        _ session: HubSession
    ) {
        let address = request.replyAddress
        guard idleChannel(id, .turn, request, session) != nil else { return }
        guard health.level < .noNew else { return answer(.error(.storeIsFull), to: address) }
        let (source, now) = (session.source, round.uptime)
        let bytes = keyPackages.reduce(lastResort.map { SourceBudget.cost($0.bytes.count) } ?? 0) {
            $0 + SourceBudget.cost($1.bytes.count)
        }
        var wait = budgets.take(keyPackages.count, \.keyPackages, of: source, atNanoseconds: now)
        if wait == 0 { wait = budgets.take(bytes, \.bytes, of: source, atNanoseconds: now) }
        guard wait == 0 else { return answer(.error(.overBudget(waitNanoseconds: wait)), to: address) }
        withStoreAccess(id) { hub in await hub.depositInStore(id, keyPackages, lastResort, address) }
    }

    func withdraw(_ id: ChannelID, _ request: HubRequest, _ session: HubSession) {
        let address = request.replyAddress
        guard let channel = idleChannel(id, .append, request, session) else { return }
        let now = uptime()
        var wait = withdrawals.wait(of: session.source, at: id, atNanoseconds: now)
        if wait == 0 { wait = channel.withdrawals.take(atNanoseconds: now) }
        guard wait == 0 else {
            let error = RelayError.tooFast(
                "too many key packages were taken from this inbox, or by this address", waitNanoseconds: wait)
            return answer(.error(error), to: address)
        }
        withdrawals.charge(session.source, at: id, atNanoseconds: now)
        withStoreAccess(id) { hub in await hub.withdrawFromStore(id, address) }
    }

    func close(_ id: ChannelID, _ request: HubRequest, _ session: HubSession) {
        guard idleChannel(id, .turn, request, session) != nil else { return }
        withStoreAccess(id) { hub in await hub.closeInStore(id, request.replyAddress) }
    }

    func trim(_ id: ChannelID, _ throughSeq: UInt64, _ request: HubRequest, _ session: HubSession) {
        let address = request.replyAddress
        guard let channel = idleChannel(id, .turn, request, session) else { return }
        guard channel.head.kind == .inbox else { return answer(.error(.denied), to: address) }
        withStoreAccess(id) { hub in await hub.trimInStore(id, throughSeq, address) }
    }

    /// Returns the channel if the channel is not closed, the connection has the needed right in the current epoch, and no entry
    /// of the channel is being committed. Otherwise answers the request or makes the request wait, and returns `nil`.
    private func idleChannel(
        _ id: ChannelID, _ needed: Rights, _ request: HubRequest, _ session: HubSession
    ) -> HubChannel? {
        let address = request.replyAddress
        guard session.has(needed, in: id) else {
            answer(.error(.denied), to: address)
            return nil
        }
        guard let channel = channels.use(id), channel.tentative == nil else {
            waitForChannel(id, request)
            return nil
        }
        guard session.rights(in: id, epoch: channel.head.epoch).contains(needed) else {
            answer(.error(.denied), to: address)
            return nil
        }
        guard !channel.head.isClosed else {
            answer(.error(.gone), to: address)
            return nil
        }
        return channel
    }

    // MARK: With the store

    /// Drops the entries that the owner of an inbox has read.
    private func trimInStore(_ id: ChannelID, _ throughSeq: UInt64, _ address: ReplyAddress) async {
        let reply = await decideWithStore { () throws(StoreFailure) in
            guard let head = try await store.head(of: id), !head.isClosed else { return .answer(.error(.gone)) }
            let firstSeq = min(throughSeq, head.lastSeq) + 1
            guard firstSeq > head.firstSeq else { return .answer(.done) }
            return .commit(.trim(channel: id, firstSeq: firstSeq), then: .done)
        }
        if case .done = reply, let head = try? await store.head(of: id) { channels[id]?.setHead(head) }
        send(reply, to: address)
    }

    private func closeInStore(_ id: ChannelID, _ address: ReplyAddress) async {
        let reply = await decideWithStore { () throws(StoreFailure) in
            guard let head = try await store.head(of: id), !head.isClosed else { return .answer(.error(.gone)) }
            return .commit(.close(channel: id, lastSeq: head.lastSeq), then: .done)
        }
        if case .done = reply, let channel = channels[id] {
            endFollows(of: channel)
            channels.remove(channel)
        }
        send(reply, to: address)
    }

    private func depositInStore(
        _ id: ChannelID, _ keyPackages: [KeyPackageBytes], _ lastResort: KeyPackageBytes?, _ address: ReplyAddress
    ) async {
        let reply = await decideWithStore { () throws(StoreFailure) in
            let shelf = try await store.shelf(of: id)
            guard shelf.count + keyPackages.count <= limits.keyPackages else {
                let error = RelayError(
                    .full, "the inbox has no room for more key packages", detail: UInt64(limits.keyPackages))
                return .answer(.error(error))
            }
            return .commit(
                .deposit(
                    channel: id, keyPackages: keyPackages, lastResort: lastResort, shelfVersion: shelf.version,
                    atMs: clock.recordMs),
                then: .done)
        }
        send(reply, to: address)
    }

    private func withdrawFromStore(_ id: ChannelID, _ address: ReplyAddress) async {
        let reply = await decideWithStore { () throws(StoreFailure) in
            let shelf = try await store.shelf(of: id)
            if let next = shelf.next {
                return .commit(
                    .withdraw(channel: id, position: next.position, shelfVersion: shelf.version),
                    then: .keyPackage(next.bytes, isLastResort: false))
            }
            if let lastResort = shelf.lastResort { return .answer(.keyPackage(lastResort, isLastResort: true)) }
            return .answer(.error(RelayError(.notFound, "the inbox has no key package")))
        }
        send(reply, to: address)
    }
}
