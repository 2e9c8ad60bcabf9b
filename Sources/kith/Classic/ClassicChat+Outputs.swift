import ClassicSession
import KithClient
import KithWire
import NIOCore

// Performs the outputs of the session: sends frames to the relay one at a time, and reports events to the user.

extension ClassicChat {
    func carryOut(_ outputs: [Output], areText: Bool = false) {
        for output in outputs {
            switch output {
            case .frame(let frame):
                let id = EntryID.random()
                ownEntries.insert(id)
                queue?.put(frame, id: id, isText: areText)
            case .event(.peerStartedAgain) where !session.isOpen && session.ending == nil:
                beginAnewLater()
            case .event(let event):
                report(.session(event))
                if case .established(let established) = event { self.established = established }
                if case .refusedKey(let presented, let expected) = event {
                    fail(WrongPeerKey(presented: presented, expected: expected))
                }
            }
        }
        appendNext()
        if session.isOpen { wasOpen = true }
        if session.isOpen || session.ending != nil { wake() }
    }

    /// Restarts the handshake after a pause. No text was sent yet, so none is lost.
    ///
    /// The current run continues during the pause. If it was a stranger who pretended that the other user had restarted, the
    /// handshake of the current run can still finish.
    private func beginAnewLater() {
        guard !isBeginningAnew else { return }
        isBeginningAnew = true
        let pause = Duration.milliseconds(restartPause.nextMs())
        Task { [weak self] in
            try? await Task.sleep(for: pause)
            await self?.beginAnew()
        }
    }

    private func beginAnew() {
        isBeginningAnew = false
        guard !session.isOpen, session.ending == nil, !isOver, let fresh = try? makeSession() else { return }
        session = fresh
        report(.beganAnew)
        carryOut(session.start())
    }

    func fail(_ error: any Error) {
        if failure == nil { failure = error }
        stop()
    }

    func wake() {
        for waiting in waitingForRoom { waiting.resume() }
        waitingForRoom = []
        guard session.isOpen || session.ending != nil || isOver else { return }
        for waiting in waitingForOpen { waiting.resume() }
        waitingForOpen = []
    }

    func appendNext() {
        guard let connection, !isAppendScheduled else { return }
        let now = NIODeadline.now()
        let generation = generation
        if let item = queue?.next(now: now) {
            connection.submit(channel.append(item.payload, id: item.id)) { [weak self] result in
                guard let self else { return }
                Task { await self.appended(item.id, result, generation) }
            }
        } else if let delay = queue?.delay(now: now) {
            appendNext(afterMs: UInt32(clamping: delay.nanoseconds / 1_000_000) + 1)
        }
    }

    private func appendNext(afterMs delay: UInt32) {
        guard !isAppendScheduled else { return }
        isAppendScheduled = true
        Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(delay))
            await self?.runScheduledAppend()
        }
    }

    private func runScheduledAppend() {
        isAppendScheduled = false
        appendNext()
    }

    private func appended(_ id: EntryID, _ result: Result<Reply, RelayConnectionError>, _ generation: Int) {
        guard generation == self.generation else { return }
        let refusal: RelayError?
        switch result {
        case .success: refusal = nil
        case .failure(.refused(let error)): refusal = error
        // After such a failure the follow fails too, and its end causes a new connection.
        case .failure: return
        }
        switch queue?.answered(id, error: refusal, now: .now()) {
        case .accepted:
            lastAccepted = .now
            appendNext()
        case .later, nil: appendNext()
        case .failed(let error): fail(Self.saying(RelayConnectionError.refused(error)))
        }
        wake()
    }
}
