import KithWire
import NIOCore

/// The output of a connection, and the times at which it is sent.
extension Connection {
    var canSend: Bool {
        isOpen && channel.isWritable && writer.bytes.count < limits.unreadBacklog / 2
    }

    /// Processes an answer. Returns whether the caller must flush the connection. The caller flushes after it has processed the
    /// hub's whole output. Between two flushes, at most one call returns `true`.
    func answer(_ answer: RoundOutput.Answer) -> Bool {
        guard !isOver else { return false }
        // A follow begins with the hub's answer, even if that answer is sent later, because the next committed entries belong to
        // the follow.
        let isGated = admission.isUndecided
        if isGated { apply(answer) }
        switch admission.answered(answer, now: .now()) {
        case .send(let answer):
            write(answer)
            if !isGated { apply(answer) }
            if case .closes = answer.effect { close(code: 1008) }
        case .wait:
            return false
        case .sendAll(let answers, let deadline, let denied):
            if let deadline { hold(until: deadline) }
            if denied > 0 { chargeDenied(denied) }
            areFollowsStale = true
            for answer in answers { write(answer) }
            let closes = answers.contains { if case .closes = $0.effect { true } else { false } }
            if closes { close(code: 1008) }
        }
        return noteOutput()
    }

    private func write(_ answer: RoundOutput.Answer) {
        writer.write(RelayFrame(requestID: answer.requestID, reply: answer.reply))
    }

    /// Applies the effect of an answer to the connection. Ignores the effect `closes`: the caller closes the connection.
    private func apply(_ answer: RoundOutput.Answer) {
        switch answer.effect {
        case .none, .closes:
            break
        case .welcomed:
            hasSaidHello = true
        case .follows(let channel, let start):
            var follow = FollowProgress(requestID: answer.requestID, start: start)
            let step = follow.resume(canSend: canSend)
            follows[channel] = follow
            perform(step, channel, answer.requestID)
        case .unfollows(let channel):
            follows[channel] = nil
        }
    }

    /// Writes a frame of a follow. If no output is allowed now, keeps the frame for later.
    func emit(_ reply: Reply, _ requestID: UInt32) {
        let frame = RelayFrame(requestID: requestID, reply: reply)
        if isOpen { writer.write(frame) } else { later.append(frame) }
    }

    /// Notes that there is output to send. If there was no output before, returns `true`, and the caller must flush.
    func noteOutput() -> Bool {
        defer { hasOutput = true }
        return !hasOutput
    }

    /// Sends the collected output in one write.
    func flush() {
        hasOutput = false
        defer { admitWaiting() }
        guard isOpen, !isOver, let context else { return }
        if let ping = unansweredPing {
            unansweredPing = nil
            writer.writePong(ping)
        }
        for frame in later { writer.write(frame) }
        later = []
        if areFollowsStale {
            areFollowsStale = false
            resumeFollows()
        }
        guard !writer.isEmpty else { return }
        metrics.bytesOut.count(writer.bytes.count)
        let buffer = channel.allocator.buffer(bytes: writer.bytes)
        // A busy connection keeps its buffer. An idle connection frees it, and so does one that has sent a large frame.
        writer.removeAll(keepingUpTo: writer.bytes.count < 512 ? 0 : 64 << 10)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    private func hold(until deadline: NIODeadline) {
        guard deadline > .now(), heldUntil.map({ $0 < deadline }) ?? true else { return }
        heldUntil = deadline
        channel.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            guard self.heldUntil == deadline else { return }
            self.heldUntil = nil
            self.flush()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if channel.isWritable {
            resumeFollows()
            if hasOutput { flush() } else { admitWaiting() }
        }
        context.fireChannelWritabilityChanged()
    }
}
