import KithWire

/// Decides each request of a round. No function in this file waits. If a request needs a read of the store, the functions in
/// `Hub+StoreRequests.swift` decide the request.
extension Hub {
    /// Decides one event of a round.
    func decide(_ item: HubEvent) {
        switch item.event {
        case .opened(let loop, let source, let rates):
            sessions[item.connection] = HubSession(
                loop: loop, source: source, budget: budgets.enter(source), rates: rates)
        case .closed:
            endSession(item.connection)
        case .refused(let requestID, let error):
            let address = ReplyAddress(connection: item.connection, requestID: requestID)
            answer(.error(error), to: address, effect: error.code == .badFrame ? .closes : .none)
        case .request(let frame):
            guard let session = sessions[item.connection] else { return }
            decide(frame, item, session)
        case .registration(let requestID, let record):
            let address = ReplyAddress(connection: item.connection, requestID: requestID)
            guard let session = sessions[item.connection], mayAsk(session, address) else { return }
            guard let record else {
                return answer(.error(RelayError(.denied, "the record is not signed for this name")), to: address)
            }
            register(record, session.source, address)
        }
    }

    /// Returns whether the connection may now send requests other than `hello`. If it may not, answers its request with an
    /// error.
    private func mayAsk(_ session: HubSession, _ address: ReplyAddress) -> Bool {
        guard !isShuttingDown else {
            let error = RelayError(.unavailable, "the relay is shutting down", retryAfterMs: 1_000)
            answer(.error(error), to: address)
            return false
        }
        guard session.hasSaidHello else {
            let error = RelayError(.badFrame, "the first frame must be hello")
            answer(.error(error), to: address, effect: .closes)
            return false
        }
        return true
    }

    private func decide(_ frame: ClientFrame, _ item: HubEvent, _ session: HubSession) {
        let request = HubRequest(connection: item.connection, frame: frame)
        let address = request.replyAddress
        if case .hello(let versions, let pass) = frame.request, !isShuttingDown {
            return hello(versions, pass, session, address)
        }
        guard mayAsk(session, address) else { return }
        // Requests about a busy channel wait. If the client has not proved the right for its request, the request is decided
        // now: if it waited, it would delay the requests of clients with rights. A delayed refusal would also reveal that the
        // channel is busy, and therefore that it exists.
        if !busy.isEmpty, let channel = frame.request.channel, busy.contains(channel), session.mayWait(frame.request) {
            return busy.enqueue(item, for: channel)
        }
        switch frame.request {
        case .hello:
            break
        case .ping:
            answer(.done, to: address)
        case .append(let channel, let epoch, let id, let payload):
            let entry = NewEntry(channel: channel, epoch: epoch, id: id, payload: payload, nextAccess: nil)
            append(entry, request, session)
        case .turn(let channel, let epoch, let id, let payload, let nextAccess):
            let entry = NewEntry(channel: channel, epoch: epoch, id: id, payload: payload, nextAccess: nextAccess)
            append(entry, request, session)
        case .create:
            create(item, address, session)
        case .present(let channel, let epoch, let tokens):
            present(channel, epoch, tokens, item, address)
        case .follow(let channel, let epoch, let fromSeq):
            follow(channel, epoch, fromSeq, request, session)
        case .unfollow(let channel):
            if session.follows.remove(channel) != nil {
                channels[channel]?.removeFollower(item.connection, loop: session.loop)
            }
            answer(.done, to: address, effect: .unfollows(channel))
        case .whisper(let channel, let epoch, let payload):
            whisper(channel, epoch, payload, request, session)
        case .close(let channel):
            close(channel, request, session)
        case .deposit(let channel, let keyPackages, let lastResort):
            deposit(channel, keyPackages, lastResort, request, session)
        case .withdraw(let channel):
            withdraw(channel, request, session)
        case .register:
            // A valid registration arrives as `registration`. The record of a `register` request was not verified, so it is
            // refused.
            answer(.error(.denied), to: address)
        case .lookup(let name):
            lookUp(name, address)
        case .trim(let channel, let throughSeq):
            trim(channel, throughSeq, request, session)
        case .createBlob(let channel, let epoch, let blob):
            createBlob(blob, in: channel, epoch, request, session)
        }
    }

    // MARK: Sessions

    private func hello(_ versions: [UInt16], _ pass: RelayPass?, _ session: HubSession, _ address: ReplyAddress) {
        guard !session.hasSaidHello else {
            return answer(.error(RelayError(.badFrame, "hello comes once")), to: address, effect: .closes)
        }
        guard versions.count <= WireLimits.versions, versions.contains(1) else {
            let error = RelayError(.badVersion, "this relay speaks version 1", detail: 1)
            return answer(.error(error), to: address, effect: .closes)
        }
        guard relayPass == nil || pass == relayPass else {
            let error = RelayError(.passRequired, "this relay requires a pass")
            return answer(.error(error), to: address, effect: .closes)
        }
        session.hasSaidHello = true
        let welcome = Reply.welcome(
            version: 1, relayID: store.relayID, limits: limits.advertised, timeMs: round.nowMs)
        answer(welcome, to: address, effect: .welcomed)
    }

    private func endSession(_ connection: ConnectionNumber) {
        guard let session = sessions.removeValue(forKey: connection) else { return }
        budgets.leave(session.budget, atNanoseconds: round.uptime)
        for channel in session.follows { channels[channel]?.removeFollower(connection, loop: session.loop) }
    }

    // MARK: Entries and whispers

    /// An entry that a client wants to append. If ``nextAccess`` is set, the entry is a turn.
    private struct NewEntry {
        let channel: ChannelID
        let epoch: UInt64
        let id: EntryID
        let payload: ArraySlice<UInt8>
        let nextAccess: Access?
    }

    private func append(_ new: NewEntry, _ request: HubRequest, _ session: HubSession) {
        let address = request.replyAddress
        let needed: Rights = new.nextAccess == nil ? .append : .turn
        guard session.rights(in: new.channel, epoch: new.epoch).contains(needed) else {
            return answer(.error(.denied), to: address)
        }
        guard new.payload.count <= limits.payload else { return answer(.error(tooLarge), to: address) }
        guard let channel = channels.use(new.channel), channel.tentative?.isTurned != true else {
            // The channel is not in memory, or its epoch was turned in this round. In both cases the request is decided later.
            return waitForChannel(new.channel, request, needsIDs: true)
        }
        guard !channel.head.isClosed else { return answer(.error(.gone), to: address) }
        guard let ids = channel.ids else { return waitForChannel(new.channel, request, needsIDs: true) }
        if let seq = ids.seq(of: new.id) {
            metrics.entriesRepeated.count()
            return answer(.accepted(seq: seq), to: address)
        }
        guard channel.tentative?.ids.contains(new.id) != true else { return waitForChannel(new.channel, request) }
        guard new.epoch == channel.head.epoch else {
            return answer(.error(.staleEpoch(current: channel.head.epoch)), to: address)
        }
        if health.level >= .noRecent,
            let refusal = health.refusal(ofEntryIn: channel.head, nowMs: clock.retentionMs)
        {
            return answer(.error(refusal), to: address)
        }
        let wait = session.budget.wait(\.bytes, atNanoseconds: round.uptime)
        guard wait == 0 else { return answer(.error(.overBudget(waitNanoseconds: wait)), to: address) }
        if channel.head.kind == .inbox,
            let refusal = takeRoom(in: channel, new.payload.count, new.nextAccess, session)
        {
            return answer(.error(refusal), to: address)
        }
        let isFirst = channel.tentative == nil
        guard
            let entry = channel.add(
                id: new.id, payload: new.payload, nextAccess: new.nextAccess, nowMs: round.nowMs)
        else { return answer(.error(.denied), to: address) }
        if isFirst { round.channels.append(channel) }
        session.budget.charge(
            SourceBudget.cost(new.payload.count, isTurn: new.nextAccess != nil), \.bytes, atNanoseconds: round.uptime)
        session.charge(followers: channel.followerCount, atNanoseconds: round.uptime)
        round.answers.append(
            PendingAnswer(
                address: address, reply: .accepted(seq: entry.seq),
                condition: (round.mutations.count, new.channel, request.frame)))
        round.mutations.append(.append(channel: new.channel, entry: entry, nextAccess: new.nextAccess))
    }

    private func whisper(
        _ id: ChannelID, _ epoch: UInt64, _ payload: ArraySlice<UInt8>, _ request: HubRequest, _ session: HubSession
    ) {
        let address = request.replyAddress
        guard session.rights(in: id, epoch: epoch).contains(.append) else {
            return answer(.error(.denied), to: address)
        }
        guard payload.count <= limits.payload else { return answer(.error(tooLarge), to: address) }
        guard let channel = openChannel(id, in: epoch, request) else { return }
        metrics.whispers.count()
        session.charge(followers: channel.followerCount, atNanoseconds: round.uptime)
        round.whispers.append((channel, epoch, payload))
        answer(.done, to: address)
    }

    /// Returns the channel if the channel is open and in this epoch, and no turn of the current round ends the epoch. Otherwise
    /// answers the request or makes the request wait, and returns `nil`.
    private func openChannel(_ id: ChannelID, in epoch: UInt64, _ request: HubRequest) -> HubChannel? {
        guard let channel = channels.use(id), channel.tentative?.isTurned != true else {
            waitForChannel(id, request)
            return nil
        }
        guard !channel.head.isClosed else {
            answer(.error(.gone), to: request.replyAddress)
            return nil
        }
        guard epoch == channel.head.epoch else {
            answer(.error(.staleEpoch(current: channel.head.epoch)), to: request.replyAddress)
            return nil
        }
        return channel
    }

    private func createBlob(
        _ blob: NewBlob, in id: ChannelID, _ epoch: UInt64, _ request: HubRequest, _ session: HubSession
    ) {
        let address = request.replyAddress
        guard session.rights(in: id, epoch: epoch).contains(.append) else {
            return answer(.error(.denied), to: address)
        }
        guard let channel = openChannel(id, in: epoch, request) else { return }
        // Everybody who has an invite may append to an inbox. Blobs are for conversations.
        guard channel.head.kind == .log, let blobs else { return answer(.error(.denied), to: address) }
        if let refusal = blobs.refusal(of: blob) { return answer(.error(refusal), to: address) }
        guard health.level < .noNew else { return answer(.error(.storeIsFull), to: address) }
        let (source, uptime) = (session.source, round.uptime)
        withStoreAccess(id) { hub in
            // A client that did not get the answer asks again, and is charged only once.
            guard await !blobs.hasReserved(blob) else { return hub.send(.done, to: address) }
            let wait = hub.budgets.take(
                Int(clamping: BlobLimits.charge(for: blob.size)), \.blobBytes, of: source, atNanoseconds: uptime)
            guard wait == 0 else { return hub.send(.error(.overBudget(waitNanoseconds: wait)), to: address) }
            let reply = await blobs.create(blob, nowMs: hub.clock.recordMs)
            hub.send(reply, to: address)
        }
    }

    private var tooLarge: RelayError {
        RelayError(.tooLarge, "the payload is too large", detail: UInt64(limits.payload))
    }

    // MARK: Follows

    private func follow(
        _ id: ChannelID, _ epoch: UInt64, _ fromSeq: UInt64, _ request: HubRequest, _ session: HubSession
    ) {
        let address = request.replyAddress
        guard session.rights(in: id, epoch: epoch).contains(.read) else {
            return answer(.error(.denied), to: address)
        }
        guard session.follows.contains(id) || session.follows.count < limits.follows else {
            let error = RelayError(.tooMany, "too many follows on one connection", detail: UInt64(limits.follows))
            return answer(.error(error), to: address)
        }
        guard let channel = channels.use(id), channel.head.epoch == epoch, channel.tentative == nil else {
            return withStoreAccess(id) { hub in await hub.followFromStore(id, epoch, fromSeq, address) }
        }
        let span = EpochSpan(current: channel.head)
        let (reply, effect) = startFollow(of: channel, span, fromSeq, address.connection, session)
        answer(reply, to: address, effect: effect)
    }

    /// Starts a follow of one epoch. Returns the answer and the answer's effect on the connection.
    func startFollow(
        of channel: HubChannel, _ span: EpochSpan, _ fromSeq: UInt64, _ connection: ConnectionNumber,
        _ session: HubSession
    ) -> (Reply, RoundOutput.Effect) {
        guard !channel.head.isClosed else { return (.error(.gone), .none) }
        let nextSeq = max(fromSeq, span.firstSeq)
        // A client that asks for dropped entries gets an error, so that it never misses entries without knowing it.
        guard nextSeq >= channel.head.firstSeq || nextSeq > span.lastSeq else {
            return (.error(.trimmed(firstSeq: channel.head.firstSeq)), .none)
        }
        if span.isCurrent {
            if session.follows.insert(channel.id).inserted { channel.addFollower(connection, loop: session.loop) }
        } else {
            session.follows.remove(channel.id)
            channel.removeFollower(connection, loop: session.loop)
        }
        let range = FollowRange(
            epoch: span.epoch, nextSeq: nextSeq, lastSeq: span.lastSeq, hasEnded: !span.isCurrent)
        return (.following(firstSeq: nextSeq, lastSeq: span.lastSeq), .follows(channel.id, range))
    }

    /// Ends all follows of a channel that no longer exists.
    func endFollows(of channel: HubChannel) {
        let followers = channel.takeFollowers()
        for number in followers.joined() { sessions[number]?.follows.remove(channel.id) }
        broadcast(.gone, of: channel.id, to: followers)
    }
}

/// The first and the last seq of one epoch's entries.
struct EpochSpan {
    let epoch: UInt64
    let firstSeq: UInt64
    /// The last seq of the epoch so far.
    let lastSeq: UInt64
    let isCurrent: Bool

    init(current head: ChannelHead) {
        epoch = head.epoch
        firstSeq = head.epochFirstSeq
        lastSeq = head.lastSeq
        isCurrent = true
    }

    init(past epoch: UInt64, _ record: EpochRecord?) {
        self.epoch = epoch
        firstSeq = record?.firstSeq ?? 1
        lastSeq = record?.lastSeq ?? 0
        isCurrent = false
    }
}
