import KithWire

/// A relay according to Docs/relay-protocol.md, without a real disk, network or clock. It receives one frame at a time and
/// returns frames.
///
/// The state on the disk is separate from the state in memory. ``restart()`` deletes only the state in memory, like a crash.
struct RelayModel {
    var limits: ModelLimits
    let relayID: [UInt8]
    let pass: RelayPass?

    // State on the disk.
    var channels: [ChannelID: ModelChannel] = [:]
    private(set) var names: [Name: NameRecord] = [:]

    // State in memory.
    private(set) var sessions: [Connection: Session] = [:]
    /// The connections that follow a channel.
    private(set) var followers: [ChannelID: Set<Connection>] = [:]
    private var withdrawalsFullAtMs: [ChannelID: UInt64] = [:]

    /// The relay's lies; `nil` for an honest relay.
    var lies: RelayLies?

    /// Unsent frames.
    private(set) var outgoing: [Outgoing] = []

    init(limits: ModelLimits = ModelLimits(), relayID: [UInt8], pass: RelayPass? = nil) {
        self.limits = limits
        self.relayID = relayID
        self.pass = pass
    }

    // MARK: Connections

    mutating func open(_ connection: Connection) { sessions[connection] = Session() }

    mutating func close(_ connection: Connection) {
        guard let session = sessions.removeValue(forKey: connection) else { return }
        for channel in session.follows.keys { followers[channel]?.remove(connection) }
    }

    /// Deletes the state in memory, as a power cut does.
    mutating func restart() {
        sessions = [:]
        followers = [:]
        withdrawalsFullAtMs = [:]
        outgoing = []
        for channel in Array(channels.keys) { channels[channel]?.forgetTrimmedIDs() }
    }

    /// Drops the entries whose retention time is over.
    mutating func expire(nowMs: UInt64) {
        for channel in Array(channels.keys) { channels[channel]?.expire(nowMs: nowMs) }
    }

    /// Removes and returns the frames that have to be sent.
    mutating func takeOutgoing() -> [Outgoing] {
        defer { outgoing = [] }
        return outgoing
    }

    private mutating func send(_ reply: Reply, _ requestID: UInt32, _ channel: ChannelID, to connection: Connection) {
        outgoing.append(
            Outgoing(connection: connection, channel: channel, frame: RelayFrame(requestID: requestID, reply: reply)))
    }

    // MARK: Requests

    /// Processes one request.
    ///
    /// - Parameter nowMs: milliseconds since 1970 by the relay's clock.
    mutating func receive(_ frame: ClientFrame, from connection: Connection, nowMs: UInt64) {
        guard sessions[connection] != nil else { return }
        let before = outgoing.count
        switch answer(frame.request, frame.requestID, connection, nowMs) {
        case .reply(let reply):
            insert(reply, frame, connection, at: before)
        case .closing(let error):
            insert(.error(error), frame, connection, at: before, closes: true)
        }
    }

    /// Inserts the answer to a request before the frames that the request has caused.
    private mutating func insert(
        _ reply: Reply, _ frame: ClientFrame, _ connection: Connection, at place: Int, closes: Bool = false
    ) {
        outgoing.insert(
            Outgoing(
                connection: connection, channel: frame.request.channel,
                frame: RelayFrame(requestID: frame.requestID, reply: reply), closes: closes),
            at: place)
    }

    private enum Answer {
        case reply(Reply)
        case closing(RelayError)

        static func refused(_ code: RelayError.Code, detail: UInt64 = 0, retryAfterMs: UInt32 = 0) -> Answer {
            .reply(.error(RelayError(code, "refused", detail: detail, retryAfterMs: retryAfterMs)))
        }
        static let denied = refused(.denied)
        static let gone = refused(.gone)
    }

    private mutating func answer(
        _ request: Request, _ requestID: UInt32, _ connection: Connection, _ nowMs: UInt64
    ) -> Answer {
        if case .hello(let versions, let pass) = request { return hello(versions, pass, connection, nowMs) }
        guard sessions[connection]?.hasSaidHello == true else {
            return .closing(RelayError(.badFrame, "the first frame must be hello"))
        }
        switch request {
        case .hello, .ping: return .reply(.done)
        case .create(let channel, let kind, let access, let retention):
            return create(channel, kind, access, retention)
        case .present(let channel, let epoch, let tokens): return present(channel, epoch, tokens, connection)
        case .append(let channel, let epoch, let id, let payload):
            let entry = ModelAppend(channel: channel, epoch: epoch, id: id, payload: payload, nextAccess: nil)
            return append(entry, connection, nowMs)
        case .turn(let channel, let epoch, let id, let payload, let next):
            let entry = ModelAppend(channel: channel, epoch: epoch, id: id, payload: payload, nextAccess: next)
            return append(entry, connection, nowMs)
        case .follow(let channel, let epoch, let from): return follow(channel, epoch, from, requestID, connection)
        case .unfollow(let channel):
            sessions[connection]?.follows[channel] = nil
            followers[channel]?.remove(connection)
            return .reply(.done)
        case .whisper(let channel, let epoch, let payload): return whisper(channel, epoch, payload, connection)
        case .close(let channel): return close(channel, connection)
        case .deposit(let channel, let packages, let last): return deposit(channel, packages, last, connection)
        case .withdraw(let channel): return withdraw(channel, connection, nowMs)
        case .register(let name, let record): return register(name, record)
        case .lookup(let name):
            return names[name].map { .reply(.record($0.unverified)) } ?? .refused(.notFound)
        case .trim(let channel, let seq): return trim(channel, seq, connection)
        // The model keeps no blobs.
        case .createBlob: return .denied
        }
    }

    private mutating func hello(
        _ versions: [UInt16], _ given: RelayPass?, _ connection: Connection, _ nowMs: UInt64
    ) -> Answer {
        guard sessions[connection]?.hasSaidHello == false else {
            return .closing(RelayError(.badFrame, "hello comes once"))
        }
        guard versions.contains(1) else { return .closing(RelayError(.badVersion, "version 1", detail: 1)) }
        guard pass == nil || pass == given else { return .closing(RelayError(.passRequired, "a pass is wanted")) }
        sessions[connection]?.hasSaidHello = true
        let advertised = AdvertisedLimits(
            payload: UInt32(limits.payload), frame: UInt32(WireLimits.frame), requestsPerSecond: 200,
            requestBurst: 400, idleSeconds: 7_200, follows: 4_096, retentionSeconds: limits.retentionSeconds)
        return .reply(.welcome(version: 1, relayID: relayID, limits: advertised, timeMs: lies?.time(nowMs) ?? nowMs))
    }

    private mutating func create(
        _ id: ChannelID, _ kind: ChannelKind, _ access: Access, _ retention: UInt32?
    ) -> Answer {
        if let channel = channels[id] {
            let isSame = channel.epochs[0]?.access == access && channel.kind == kind && !channel.isClosed
            return isSame ? .reply(.done) : .refused(.exists)
        }
        let kept = min(retention ?? .max, limits.retentionSeconds)
        channels[id] = ModelChannel(kind: kind, access: access, retentionSeconds: kept)
        return .reply(.done)
    }

    private mutating func present(
        _ id: ChannelID, _ epoch: UInt64, _ tokens: [Token], _ connection: Connection
    ) -> Answer {
        let access = channels[id]?.epochs[epoch]?.access ?? .nobody
        guard let rights = access.rights(presenting: tokens) else { return .denied }
        guard channels[id]?.isClosed == false else { return .gone }
        sessions[connection]?.grant(rights, in: id, epoch)
        return .reply(.granted(rights))
    }

    private mutating func append(_ new: ModelAppend, _ connection: Connection, _ nowMs: UInt64) -> Answer {
        let (id, entryID, payload, next) = (new.channel, new.id, new.payload, new.nextAccess)
        let needed: Rights = next == nil ? .append : .turn
        guard sessions[connection]?.rights(in: id, new.epoch).contains(needed) == true else { return .denied }
        guard payload.count <= limits.payload else { return .refused(.tooLarge, detail: UInt64(limits.payload)) }
        guard limits.hasRoom else { return .refused(.full, retryAfterMs: 60_000) }
        guard let channel = channels[id] else { return .denied }
        guard !channel.isClosed else { return .gone }
        if let seq = channel.seq(of: entryID, nowMs: nowMs) {
            return .reply(.accepted(seq: shown(seq, id, connection)))
        }
        guard new.epoch == channel.epoch else { return .refused(.staleEpoch, detail: channel.epoch) }
        if channel.kind == .inbox {
            guard next == nil else { return .denied }
            guard channel.entries.count < limits.inboxEntries,
                channel.payloadBytes + payload.count <= limits.inboxBytes
            else {
                return .refused(
                    .full, detail: UInt64(limits.inboxEntries), retryAfterMs: ModelLimits.fullInboxRetryMs)
            }
        }
        if next == nil, lies?.drops(id, entryID) == true { return .reply(.accepted(seq: channel.lastSeq + 1)) }
        guard let entry = channels[id]?.append(id: entryID, payload: payload, nextAccess: next, nowMs: nowMs) else {
            return .denied
        }
        publish(id)
        trimToCapacity(id)
        return .reply(.accepted(seq: shown(entry.seq, id, connection)))
    }

    private mutating func trimToCapacity(_ id: ChannelID) {
        while let channel = channels[id], channel.kind == .log, channel.entries.count > limits.channelEntries {
            channels[id]?.trim(to: channel.firstSeq + max(1, UInt64(channel.entries.count) / 16))
        }
    }

    private mutating func whisper(
        _ id: ChannelID, _ epoch: UInt64, _ payload: ArraySlice<UInt8>, _ connection: Connection
    ) -> Answer {
        guard sessions[connection]?.rights(in: id, epoch).contains(.append) == true else { return .denied }
        guard payload.count <= limits.payload else { return .refused(.tooLarge, detail: UInt64(limits.payload)) }
        guard let channel = channels[id] else { return .denied }
        guard !channel.isClosed else { return .gone }
        guard epoch == channel.epoch else { return .refused(.staleEpoch, detail: channel.epoch) }
        for follower in (followers[id] ?? []).sorted() {
            guard let follow = sessions[follower]?.follows[id], follow.epoch == epoch else { continue }
            send(
                .whispered(channel: id, epoch: epoch, payload: payload), follow.requestID, id, to: follower)
        }
        return .reply(.done)
    }

    /// Returns the refusal of a request that needs a right in the channel's current epoch. `nil` if the connection has the right.
    private func refusal(of needed: Rights, _ id: ChannelID, _ connection: Connection) -> Answer? {
        guard let session = sessions[connection], session.rights[id] != nil, let channel = channels[id],
            session.rights(in: id, channel.epoch).contains(needed)
        else { return .denied }
        return channel.isClosed ? .gone : nil
    }

    private mutating func close(_ id: ChannelID, _ connection: Connection) -> Answer {
        if let refusal = refusal(of: .turn, id, connection) { return refusal }
        channels[id]?.close()
        for follower in (followers.removeValue(forKey: id) ?? []).sorted() {
            guard let follow = sessions[follower]?.follows.removeValue(forKey: id) else { continue }
            send(.error(RelayError(.gone, "the channel was closed")), follow.requestID, id, to: follower)
        }
        return .reply(.done)
    }

    private mutating func trim(_ id: ChannelID, _ throughSeq: UInt64, _ connection: Connection) -> Answer {
        if let refusal = refusal(of: .turn, id, connection) { return refusal }
        guard let channel = channels[id], channel.kind == .inbox else { return .denied }
        channels[id]?.trim(to: min(throughSeq, channel.lastSeq) + 1)
        return .reply(.done)
    }

    private mutating func deposit(
        _ id: ChannelID, _ packages: [KeyPackageBytes], _ lastResort: KeyPackageBytes?, _ connection: Connection
    ) -> Answer {
        if let refusal = refusal(of: .turn, id, connection) { return refusal }
        guard let channel = channels[id], channel.packages.count + packages.count <= ModelLimits.keyPackages else {
            return .refused(.full, detail: UInt64(ModelLimits.keyPackages))
        }
        channels[id]?.packages += packages
        if let lastResort { channels[id]?.lastResort = lastResort }
        return .reply(.done)
    }

    private mutating func withdraw(_ id: ChannelID, _ connection: Connection, _ nowMs: UInt64) -> Answer {
        if let refusal = refusal(of: .append, id, connection) { return refusal }
        let fullAt = max(withdrawalsFullAtMs[id] ?? 0, nowMs) + ModelLimits.withdrawEveryMs
        let allowed = nowMs + ModelLimits.withdrawBurst * ModelLimits.withdrawEveryMs
        guard fullAt <= allowed else { return .refused(.tooFast, retryAfterMs: UInt32(fullAt - allowed) + 1) }
        withdrawalsFullAtMs[id] = fullAt
        if let substitute = lies?.keyPackage(id) {
            return .reply(.keyPackage(substitute, isLastResort: false))
        }
        guard let channel = channels[id] else { return .denied }
        if let next = channel.packages.first {
            channels[id]?.packages.removeFirst()
            return .reply(.keyPackage(next, isLastResort: false))
        }
        return channel.lastResort.map { .reply(.keyPackage($0, isLastResort: true)) } ?? .refused(.notFound)
    }

    private mutating func register(_ name: Name, _ record: UnverifiedNameRecord) -> Answer {
        guard let record = record.verified(for: name) else { return .denied }
        if let current = names[name] {
            guard record == current || record.replaces(current) else { return .refused(.exists) }
        }
        names[name] = record
        return .reply(.done)
    }

    // MARK: Follows

    private mutating func follow(
        _ id: ChannelID, _ epoch: UInt64, _ fromSeq: UInt64, _ requestID: UInt32, _ connection: Connection
    ) -> Answer {
        guard sessions[connection]?.rights(in: id, epoch).contains(.read) == true else { return .denied }
        guard let channel = channels[id], channel.isClosed || channel.epochs[epoch] != nil else { return .denied }
        guard !channel.isClosed else { return .gone }
        let log = shownLog(of: channel, id, to: connection)
        guard let bounds = log.bounds(of: epoch) else { return .denied }
        let lastSeq = bounds.last ?? log.lastSeq
        let next = max(fromSeq, bounds.first)
        guard next >= log.firstSeq || next > lastSeq else { return .refused(.trimmed, detail: log.firstSeq) }
        sessions[connection]?.follows[id] = ModelFollow(requestID: requestID, epoch: epoch, nextSeq: next)
        followers[id, default: []].insert(connection)
        catchUp(connection, id)
        return .reply(.following(firstSeq: next, lastSeq: lastSeq))
    }

    /// Sends new entries to every follower.
    private mutating func publish(_ id: ChannelID) {
        for follower in (followers[id] ?? []).sorted() { catchUp(follower, id) }
    }

    private mutating func catchUp(_ connection: Connection, _ id: ChannelID) {
        guard var follow = sessions[connection]?.follows[id], let channel = channels[id] else { return }
        let log = shownLog(of: channel, id, to: connection)
        let new = Array(log.entries(from: follow.nextSeq, epoch: follow.epoch))
        for start in stride(from: 0, to: new.count, by: ModelLimits.entriesPerFrame) {
            let part = Array(new[start..<min(new.count, start + ModelLimits.entriesPerFrame)])
            send(.entries(channel: id, entries: part), follow.requestID, id, to: connection)
        }
        if let last = new.last { follow.nextSeq = last.seq + 1 }
        if let last = log.bounds(of: follow.epoch)?.last, follow.nextSeq > last {
            send(.epochEnded(channel: id, epoch: follow.epoch), follow.requestID, id, to: connection)
            sessions[connection]?.follows[id] = nil
            followers[id]?.remove(connection)
        } else {
            sessions[connection]?.follows[id] = follow
        }
    }

    private func shownLog(of channel: ModelChannel, _ id: ChannelID, to connection: Connection) -> ShownLog {
        lies?.log(of: channel, id, to: connection) ?? ShownLog(channel)
    }

    private func shown(_ seq: UInt64, _ id: ChannelID, _ connection: Connection) -> UInt64 {
        guard let lies, let channel = channels[id] else { return seq }
        return lies.log(of: channel, id, to: connection)?.shownSeq(of: seq) ?? seq
    }
}
