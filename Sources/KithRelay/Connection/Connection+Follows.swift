import KithWire
import NIOCore

/// Delivery of entries and whispers to a connection that follows channels.
extension Connection {
    /// Processes a broadcast of the hub. Returns whether the caller must flush the connection. The caller flushes after it has
    /// processed the hub's whole output.
    func take(_ broadcast: RoundOutput.Broadcast, _ shared: FrameCache) -> Bool {
        let channel = broadcast.channel
        guard var follow = follows[channel] else { return false }
        switch broadcast.content {
        case .entries(let entries):
            let step = follow.committed(entries, canSend: canSend, fits: shared.size <= limits.unreadBacklog / 2)
            follows[channel] = follow
            if step == .send || step == .sendAndEnd {
                metrics.entriesDelivered.count(entries.count)
                if shared.isShared {
                    for frame in shared.frames { writer.write(encoded: frame, requestID: follow.requestID) }
                } else {
                    write(entries[...], of: channel, follow.requestID)
                }
            }
            perform(step, channel, follow.requestID)
        case .advanced(let seq):
            let step = follow.advanced(to: seq, canSend: canSend)
            follows[channel] = follow
            perform(step, channel, follow.requestID)
        case .whisper(let epoch, _):
            // A whisper is not queued, and it never overtakes entries that the follower has not received yet.
            guard epoch == follow.epoch, follow.isLive, canSend else { return false }
            for frame in shared.frames { writer.write(encoded: frame, requestID: follow.requestID) }
        case .gone:
            follows[channel] = nil
            emit(.error(.gone), follow.requestID)
        }
        return writer.isEmpty ? false : noteOutput()
    }

    /// Processes the entries that were read from the store for a follow.
    func take(_ result: Result<[Entry], StoreFailure>, for catchUp: CatchUpRead) {
        reading.remove(catchUp.channel)
        defer { readNext() }
        guard var follow = follows[catchUp.channel] else { return }
        guard follow.requestID == catchUp.requestID, follow.nextSeq == catchUp.first else {
            // The read was made for an earlier follow, which this follow has replaced.
            follow.readFailed()
            follows[catchUp.channel] = follow
            awaitingRead.insert(catchUp.channel)
            return
        }
        switch result {
        case .success(let entries):
            let (mine, step) = follow.read(entries)
            follows[catchUp.channel] = follow
            write(mine, of: catchUp.channel, follow.requestID)
            metrics.entriesDelivered.count(mine.count)
            chargeReading(mine.reduce(0) { $0 + $1.payload.count })
            perform(step, catchUp.channel, follow.requestID)
            // Other channels are read before this channel is read again.
            awaitingRead.insert(catchUp.channel)
        case .failure(let failure):
            follows[catchUp.channel] = nil
            emit(.error(RelayError(failure)), follow.requestID)
        }
        flush()
    }

    /// Starts to read the store for waiting follows. Starts as many reads as the limits allow.
    func readNext() {
        while canSend, pausedUntil == nil, reading.count < limits.catchUpsPerConnection,
            let channel = awaitingRead.popFirst()
        { resume(channel) }
        if hasOutput { flush() }
    }

    private func write(_ entries: ArraySlice<Entry>, of channel: ChannelID, _ requestID: UInt32) {
        for chunk in entries.chunkedForFrames {
            emit(.entries(channel: channel, entries: Array(chunk)), requestID)
        }
    }

    func resumeFollows() {
        for channel in Array(follows.keys) { resume(channel) }
        if hasOutput { flush() }
    }

    private func resume(_ channel: ChannelID) {
        guard var follow = follows[channel] else { return }
        let step = follow.resume(canSend: canSend)
        follows[channel] = follow
        perform(step, channel, follow.requestID)
        if !writer.isEmpty { hasOutput = true }
    }

    func perform(_ step: FollowProgress.Action, _ channel: ChannelID, _ requestID: UInt32) {
        switch step {
        case .nothing, .send:
            break
        case .sendAndEnd, .end:
            let epoch = follows.removeValue(forKey: channel)?.epoch ?? 0
            emit(.epochEnded(channel: channel, epoch: epoch), requestID)
        case .read(let first, let last):
            let isRead = reading.contains(channel)
            guard !isRead, pausedUntil == nil, reading.count < limits.catchUpsPerConnection else {
                follows[channel]?.readFailed()
                // A channel whose read is under way is queued again when the read is done.
                if !isRead { awaitingRead.insert(channel) }
                return
            }
            reading.insert(channel)
            worker.enqueue(
                CatchUpRead(
                    connection: number, requestID: requestID, channel: channel, first: first, last: last))
        case .trimmed(let firstSeq):
            follows[channel] = nil
            emit(.error(.trimmed(firstSeq: firstSeq)), requestID)
        }
    }
}
