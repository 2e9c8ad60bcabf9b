import KithWire

/// The decision of each request. Nothing in this file waits: a request that has to read the store goes to
/// `Hub+SlowWay.swift`.
extension Hub {
    /// Decides one item of a round.
    func decide(_ item: IntakeItem) {
        switch item.intake {
        case .opened(let loop, let place, let rates):
            sessions[item.connection] = HubSession(
                loop: loop, place: place, budget: budgets.enter(place), rates: rates)
        case .closed:
            forgetSession(item.connection)
        case .refused(let requestID, let error):
            answer(.error(error), to: item.connection, requestID, effect: error.code == .badFrame ? .closes : .none)
        case .request(let frame):
            guard let session = sessions[item.connection] else { return }
            decide(frame, item, session)
        case .registration(let requestID, let record):
            guard let session = sessions[item.connection], mayAsk(session, item.connection, requestID) else { return }
            guard let record else {
                let error = RelayError(.denied, "the record is not signed for this name")
                return answer(.error(error), to: item.connection, requestID)
            }
            register(record, session.place, item.connection, requestID)
        }
    }

    /// Whether the connection may ask anything else than `hello` now; otherwise it has been answered.
    private func mayAsk(_ session: HubSession, _ connection: ConnectionNumber, _ requestID: UInt32) -> Bool {
        guard !isShuttingDown else {
            let error = RelayError(.unavailable, "the relay is shutting down", retryAfterMs: 1_000)
            answer(.error(error), to: connection, requestID)
            return false
        }
        guard session.hasSaidHello else {
            let error = RelayError(.badFrame, "the first frame must be hello")
            answer(.error(error), to: connection, requestID, effect: .closes)
            return false
        }
        return true
    }

    private func decide(_ frame: ClientFrame, _ item: IntakeItem, _ session: HubSession) {
        let connection = item.connection
        let requestID = frame.requestID
        if case .hello(let versions, let pass) = frame.request, !isShuttingDown {
            return hello(versions, pass, session, connection, requestID)
        }
        guard mayAsk(session, connection, requestID) else { return }
        // Requests about a busy channel wait for their turn. One without a right does not: it would keep those waiting who
        // have one, and its refusal would tell by its time that the channel is busy, and so that it exists.
        if !busy.isEmpty, let channel = frame.request.channel, busy[channel] != nil, session.mayWait(frame.request) {
            busy[channel]?.waiting.append(item)
            return
        }
        switch frame.request {
        case .hello:
            break
        case .ping:
            answer(.done, to: connection, requestID)
        case .append(let channel, let epoch, let id, let payload):
            append(channel, epoch, id, payload, nextAccess: nil, frame, session, connection)
        case .turn(let channel, let epoch, let id, let payload, let nextAccess):
            append(channel, epoch, id, payload, nextAccess: nextAccess, frame, session, connection)
        case .create:
            create(item, requestID, session)
        case .present(let channel, let epoch, let tokens):
            present(channel, epoch, tokens, item, requestID)
        case .follow(let channel, let epoch, let fromSeq):
            follow(channel, epoch, fromSeq, frame, session, connection)
        case .unfollow(let channel):
            if session.follows.remove(channel) != nil {
                channels[channel]?.removeFollower(connection, loop: session.loop)
            }
            answer(.done, to: connection, requestID, effect: .unfollows(channel))
        case .whisper(let channel, let epoch, let payload):
            whisper(channel, epoch, payload, frame, session, connection)
        case .close(let channel):
            close(channel, frame, session, connection)
        case .deposit(let channel, let keyPackages, let lastResort):
            deposit(channel, keyPackages, lastResort, frame, session, connection)
        case .withdraw(let channel):
            withdraw(channel, frame, session, connection)
        case .register:
            // Comes as a registration: nothing that nobody has verified is taken.
            deny(connection, requestID)
        case .lookup(let name):
            lookUp(name, connection, requestID)
        case .trim(let channel, let throughSeq):
            trim(channel, throughSeq, frame, session, connection)
        }
    }

    // MARK: Answers in a round

    func answer(
        _ reply: Reply, to connection: ConnectionNumber, _ requestID: UInt32, effect: LoopBatch.Effect = .none
    ) {
        round.answers.append(
            PendingAnswer(connection: connection, requestID: requestID, reply: reply, effect: effect))
    }

    func deny(_ connection: ConnectionNumber, _ requestID: UInt32) {
        answer(.error(.denied), to: connection, requestID)
    }

    // MARK: Sessions

    private func hello(
        _ versions: [UInt16], _ pass: RelayPass?, _ session: HubSession, _ connection: ConnectionNumber,
        _ requestID: UInt32
    ) {
        guard !session.hasSaidHello else {
            let error = RelayError(.badFrame, "hello comes once")
            return answer(.error(error), to: connection, requestID, effect: .closes)
        }
        guard versions.count <= WireLimits.versions, versions.contains(1) else {
            let error = RelayError(.badVersion, "this relay speaks version 1", detail: 1)
            return answer(.error(error), to: connection, requestID, effect: .closes)
        }
        guard relayPass == nil || pass == relayPass else {
            let error = RelayError(.passRequired, "this relay is for people who were given its pass")
            return answer(.error(error), to: connection, requestID, effect: .closes)
        }
        session.hasSaidHello = true
        let welcome = Reply.welcome(
            version: 1, relayID: store.relayID, limits: limits.advertised, timeMs: round.nowMs)
        answer(welcome, to: connection, requestID, effect: .welcomed)
    }

    private func forgetSession(_ connection: ConnectionNumber) {
        guard let session = sessions.removeValue(forKey: connection) else { return }
        budgets.leave(session.budget, atNanoseconds: round.uptime)
        for channel in session.follows { channels[channel]?.removeFollower(connection, loop: session.loop) }
    }

    // MARK: Channels

    /// The channel's state, if it is in memory.
    func cached(_ channel: ChannelID) -> HubChannel? {
        guard let state = channels[channel] else { return nil }
        state.isUsed = true
        return state
    }

    private func append(
        _ channel: ChannelID, _ epoch: UInt64, _ id: EntryID, _ payload: ArraySlice<UInt8>, nextAccess: Access?,
        _ frame: ClientFrame, _ session: HubSession, _ connection: ConnectionNumber
    ) {
        let needed: Rights = nextAccess == nil ? .append : .turn
        guard session.rights(in: channel, epoch: epoch).contains(needed) else {
            return deny(connection, frame.requestID)
        }
        guard payload.count <= limits.payload else {
            let error = RelayError(.tooLarge, "the payload is too large", detail: UInt64(limits.payload))
            return answer(.error(error), to: connection, frame.requestID)
        }
        guard let state = cached(channel), state.tentative?.isTurned != true else {
            // Not in memory, or the epoch was turned in this very round: what became of that is known after it.
            return waitForRound(channel, frame, connection, needsIDs: true)
        }
        guard !state.head.isClosed else { return answer(.error(.gone), to: connection, frame.requestID) }
        guard let ids = state.ids else { return waitForRound(channel, frame, connection, needsIDs: true) }
        if let seq = ids.seq(of: id) {
            metrics.entriesRepeated.count()
            return answer(.accepted(seq: seq), to: connection, frame.requestID)
        }
        guard state.tentative?.ids.contains(id) != true else { return waitForRound(channel, frame, connection) }
        guard epoch == state.head.epoch else {
            return answer(.error(.staleEpoch(current: state.head.epoch)), to: connection, frame.requestID)
        }
        if level >= .noLate, let refusal = refusal(ofEntryIn: state.head) {
            return answer(.error(refusal), to: connection, frame.requestID)
        }
        let wait = session.budget.wait(\.bytes, atNanoseconds: round.uptime)
        guard wait == 0 else {
            return answer(.error(.overBudget(waitNanoseconds: wait)), to: connection, frame.requestID)
        }
        if state.head.kind == .inbox, let refusal = takeRoom(in: state, payload.count, nextAccess, session) {
            return answer(.error(refusal), to: connection, frame.requestID)
        }
        let isFirst = state.tentative == nil
        guard let entry = state.add(id: id, payload: payload, nextAccess: nextAccess, nowMs: round.nowMs) else {
            return deny(connection, frame.requestID)
        }
        if isFirst { round.channels.append(state) }
        session.budget.charge(
            PlaceBudget.cost(payload.count, isTurn: nextAccess != nil), \.bytes, atNanoseconds: round.uptime)
        session.charge(followers: state.followerCount, atNanoseconds: round.uptime)
        round.answers.append(
            PendingAnswer(
                connection: connection, requestID: frame.requestID, reply: .accepted(seq: entry.seq),
                condition: (round.mutations.count, channel, frame)))
        round.mutations.append(.append(channel: channel, entry: entry, nextAccess: nextAccess))
    }

    private func follow(
        _ channel: ChannelID, _ epoch: UInt64, _ fromSeq: UInt64, _ frame: ClientFrame, _ session: HubSession,
        _ connection: ConnectionNumber
    ) {
        guard session.rights(in: channel, epoch: epoch).contains(.read) else {
            return deny(connection, frame.requestID)
        }
        guard session.follows.contains(channel) || session.follows.count < limits.follows else {
            let error = RelayError(.tooMany, "too many follows on one connection", detail: UInt64(limits.follows))
            return answer(.error(error), to: connection, frame.requestID)
        }
        guard let state = cached(channel), state.head.epoch == epoch, state.tentative == nil else {
            return slowly(channel) { hub in
                await hub.followSlowly(channel, epoch, fromSeq, frame.requestID, connection)
            }
        }
        let (reply, effect) = startFollow(state, nil, epoch, fromSeq, session, connection)
        answer(reply, to: connection, frame.requestID, effect: effect)
    }

    /// Begins a follow, and says how. `record` is the epoch's where it is not the current one.
    func startFollow(
        _ state: HubChannel, _ record: EpochRecord?, _ epoch: UInt64, _ fromSeq: UInt64, _ session: HubSession,
        _ connection: ConnectionNumber
    ) -> (Reply, LoopBatch.Effect) {
        guard !state.head.isClosed else { return (.error(.gone), .none) }
        let isCurrent = epoch == state.head.epoch
        let epochFirst = isCurrent ? state.head.epochFirstSeq : record?.firstSeq ?? 1
        let lastSeq = isCurrent ? state.head.lastSeq : record?.lastSeq ?? 0
        let nextSeq = max(fromSeq, epochFirst)
        // Whatever is asked for and not there any more is said, never passed over.
        guard nextSeq >= state.head.firstSeq || nextSeq > lastSeq else {
            return (.error(.trimmed(firstSeq: state.head.firstSeq)), .none)
        }
        if isCurrent {
            if session.follows.insert(state.id).inserted { state.addFollower(connection, loop: session.loop) }
        } else {
            session.follows.remove(state.id)
            state.removeFollower(connection, loop: session.loop)
        }
        let start = FollowStart(epoch: epoch, nextSeq: nextSeq, lastSeq: lastSeq, hasEnded: !isCurrent)
        return (.following(firstSeq: nextSeq, lastSeq: lastSeq), .follows(state.id, start))
    }

    private func whisper(
        _ channel: ChannelID, _ epoch: UInt64, _ payload: ArraySlice<UInt8>, _ frame: ClientFrame,
        _ session: HubSession, _ connection: ConnectionNumber
    ) {
        guard session.rights(in: channel, epoch: epoch).contains(.append) else {
            return deny(connection, frame.requestID)
        }
        guard payload.count <= limits.payload else {
            let error = RelayError(.tooLarge, "the payload is too large", detail: UInt64(limits.payload))
            return answer(.error(error), to: connection, frame.requestID)
        }
        guard let state = cached(channel), state.tentative?.isTurned != true else {
            return waitForRound(channel, frame, connection)
        }
        guard !state.head.isClosed else { return answer(.error(.gone), to: connection, frame.requestID) }
        guard epoch == state.head.epoch else {
            return answer(.error(.staleEpoch(current: state.head.epoch)), to: connection, frame.requestID)
        }
        metrics.whispers.count()
        session.charge(followers: state.followerCount, atNanoseconds: round.uptime)
        round.whispers.append((state, epoch, payload))
        answer(.done, to: connection, frame.requestID)
    }
}

extension RelayError {
    static let denied = RelayError(.denied, "no such channel, or no right to it")
    static let gone = RelayError(.gone, "the channel was closed")

    static func staleEpoch(current: UInt64) -> RelayError {
        RelayError(.staleEpoch, "the channel is in another epoch", detail: current)
    }

    static func trimmed(firstSeq: UInt64) -> RelayError {
        RelayError(.trimmed, "older entries are no longer kept", detail: firstSeq)
    }
}
