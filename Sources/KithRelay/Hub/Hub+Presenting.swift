import KithWire

/// `create` and `present`: the requests that need no right, so anybody can send them about any channel.
///
/// They never make a channel busy, and never wait among the requests of those who have a right in it. Each channel has a line
/// of its own for them, and one look at the store answers everything in that line. A `present` that is not granted from
/// memory takes the same steps whether the channel, the epoch or the right is missing.
extension Hub {
    /// The store's answers about one channel, for all requests of a line that ask at the same time.
    struct ChannelLook {
        fileprivate var head: ChannelHead??
        fileprivate var epochs: [UInt64: EpochRecord?] = [:]
    }

    func create(_ item: IntakeItem, _ requestID: UInt32, _ session: HubSession) {
        let wait = budgets.take(1, \.channels, of: session.place, atNanoseconds: round.uptime)
        guard wait == 0 else {
            return answer(.error(.overBudget(waitNanoseconds: wait)), to: item.connection, requestID)
        }
        round.unproved.append(item)
    }

    func present(_ channel: ChannelID, _ epoch: UInt64, _ tokens: [Token], _ item: IntakeItem, _ requestID: UInt32) {
        guard let session = sessions[item.connection], let state = channels[channel], state.head.epoch == epoch,
            state.tentative == nil, !state.head.isClosed,
            let rights = state.head.access.rights(presenting: tokens)
        else { return round.unproved.append(item) }
        state.isUsed = true
        noteUse(of: state)
        answer(grant(rights, in: channel, epoch, to: session), to: item.connection, requestID)
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

    // MARK: The line

    /// Puts a request into its channel's line, and has the line answered.
    func lineUp(_ item: IntakeItem) {
        guard case .request(let frame) = item.intake, let channel = frame.request.channel else { return }
        guard unproved[channel] == nil else {
            unproved[channel]?.append(item)
            return
        }
        unproved[channel] = [item]
        slowly { hub in await hub.answerLine(of: channel) }
    }

    private func answerLine(of channel: ChannelID) async {
        while let items = unproved[channel], !items.isEmpty {
            unproved[channel] = []
            var look = ChannelLook()
            for item in items {
                guard case .request(let frame) = item.intake else { continue }
                let reply: Reply
                switch frame.request {
                case .create(_, let kind, let access, let retentionSeconds):
                    reply = await create(channel, kind, access, retentionSeconds, &look)
                case .present(_, let epoch, let tokens):
                    reply = await present(channel, epoch, tokens, item.connection, &look)
                default:
                    continue
                }
                send(reply, requestID: frame.requestID, to: item.connection)
            }
            flush()
        }
        unproved[channel] = nil
    }

    private func create(
        _ channel: ChannelID, _ kind: ChannelKind, _ access: Access, _ retentionSeconds: UInt32?,
        _ look: inout ChannelLook
    ) async -> Reply {
        let retention = min(retentionSeconds ?? .max, UInt32(limits.retentionSeconds))
        let new = ChannelHead(created: access, kind: kind, retentionSeconds: retention, atMs: datingMs)
        var isNew = false
        let reply = await deciding { () throws(StoreFailure) in
            isNew = false
            if let head = try await head(of: channel, &look) {
                let isSame = try await record(of: 0, in: channel, &look)?.access == access && head.kind == kind
                return .answer(
                    isSame && !head.isClosed
                        ? .done : .error(RelayError(.exists, "there is such a channel already")))
            }
            guard level < .noNew else { return .answer(.error(.storeIsFull)) }
            isNew = true
            // Those behind it find the channel.
            look = ChannelLook()
            return .commit(
                .create(
                    channel: channel, kind: kind, access: access, retentionSeconds: retention, atMs: new.createdMs),
                then: .done)
        }
        if case .done = reply, isNew, channels[channel] == nil, busy[channel] == nil {
            // Only what was just created is known to have no entries; what existed is loaded when it is used.
            let ids = EntryIDWindow(idBounds, uptimeMs: uptimeMs)
            changeIDs(of: insert(channel, new)) { $0.setIDs(ids) }
        }
        return reply
    }

    private func present(
        _ channel: ChannelID, _ epoch: UInt64, _ tokens: [Token], _ connection: ConnectionNumber,
        _ look: inout ChannelLook
    ) async -> Reply {
        var isProved = false
        do throws(StoreFailure) {
            let record = try await record(of: epoch, in: channel, &look)
            guard let rights = record?.access.rights(presenting: tokens) else { return .error(.denied) }
            isProved = true
            guard let head = try await head(of: channel, &look) else { return .error(.denied) }
            guard !head.isClosed else { return .error(.gone) }
            guard let session = sessions[connection] else { return .error(.denied) }
            if let state = cached(channel) {
                noteUse(of: state)
            } else {
                // Most present a channel to use it.
                slowly(channel) { hub in
                    if let state = try? await hub.load(channel) { hub.noteUse(of: state) }
                }
            }
            return grant(rights, in: channel, epoch, to: session)
        } catch {
            guard error.isDamage else { return .error(RelayError(error)) }
            metrics.damagedReads.count()
            // For those who have proved nothing it is as if there were no such channel.
            return .error(isProved ? RelayError(error) : .denied)
        }
    }

    private func head(
        of channel: ChannelID, _ look: inout ChannelLook
    ) async throws(StoreFailure) -> ChannelHead? {
        if let known = look.head { return known }
        let head = try await store.head(of: channel)
        look.head = .some(head)
        return head
    }

    private func record(
        of epoch: UInt64, in channel: ChannelID, _ look: inout ChannelLook
    ) async throws(StoreFailure) -> EpochRecord? {
        if let known = look.epochs[epoch] { return known }
        let record = try await store.epoch(epoch, of: channel)
        look.epochs.updateValue(record, forKey: epoch)
        return record
    }
}
