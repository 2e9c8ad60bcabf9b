import ClassicSession
import KithClient
import KithWire
import NIOCore

/// One run of the classic session over a relay: the session's frames become entries of the channel, and the channel's
/// entries the session's input.
///
/// A connection that breaks is made again and everything goes on where it was: the relay knows repeated entries by their
/// ids. Only when that fails for too long the conversation counts as cut.
actor ClassicChat {
    /// What there is to tell the user, in order.
    typealias Report = @Sendable (ChatEvent) -> Void

    /// How many frames may wait to be accepted before ``send(_:)`` waits too.
    private static let mostWaiting = 256
    /// Entries are of no use once both have left, so the relay need not keep them for its usual month.
    private static let retentionSeconds: UInt32 = 86_400

    /// How often a handshake is begun anew because the other user started again in the middle of it. Anybody who knows both
    /// ids can make it seem so, and is not to keep this side busy for ever.
    private static let mostRestarts = 100

    private var session: ClassicSession
    private let makeSession: @Sendable () throws -> ClassicSession
    private var restarts = 0
    private let channel: MeetingChannel
    private let connect: @Sendable () async throws -> RelayConnection
    private let giveUpAfter: Duration
    private let report: Report

    private var connection: RelayConnection?
    private var follow: RelayFollow?
    /// Counts connections, so that answers of a former one are told apart.
    private var generation = 0
    private var queue: AppendQueue?
    private var ownEntries: Set<EntryID> = []
    private var lastSeq: UInt64 = 0
    private var isPumpScheduled = false
    private var failure: (any Error)?
    private var isOver = false
    /// Whether the two were ever connected.
    private(set) var wasOpen = false
    private var waitingForRoom: [CheckedContinuation<Void, Never>] = []
    private var waitingForOpen: [CheckedContinuation<Void, Never>] = []

    /// - Parameters:
    ///   - session: makes a new session of the same two users, with the same identity.
    ///   - giveUpAfter: how long to try when the connection breaks.
    init(
        session: @escaping @Sendable () throws -> ClassicSession, giveUpAfter: Duration,
        connect: @escaping @Sendable () async throws -> RelayConnection, report: @escaping Report
    ) throws {
        let makeSession = session
        self.makeSession = makeSession
        let session = try makeSession()
        self.session = session
        channel = try MeetingChannel(session.me, session.peer)
        self.giveUpAfter = giveUpAfter
        self.connect = connect
        self.report = report
    }

    // MARK: What the user does

    /// Sends a text, or waits while too many before it have not been accepted.
    func send(_ text: String) async throws(ClassicSendError) {
        while (queue?.count ?? 0) >= Self.mostWaiting, !isOver {
            await withCheckedContinuation { waitingForRoom.append($0) }
        }
        carryOut(try session.send(text))
    }

    /// Leaves: says goodbye if there is somebody to say it to, and waits until the relay has it. Returns whether it has
    /// everything, and the two were connected at all.
    func leave() async -> ChatDriver.Ending {
        carryOut(session.bye())
        let deadline = Task {
            try? await Task.sleep(for: ClassicTimeouts.goodbye)
            stop()
        }
        while queue?.isEmpty == false, !isOver {
            await withCheckedContinuation { waitingForRoom.append($0) }
        }
        deadline.cancel()
        stop()
        guard wasOpen else { return .leftBeforeItBegan }
        return queue?.isEmpty == true && session.ending != .cut ? .goodbye : .cut
    }

    /// Returns once messages can be sent, or never will be. Says which.
    func waitUntilOpen() async -> Bool {
        if !session.isOpen, !isOver { await withCheckedContinuation { waitingForOpen.append($0) } }
        return session.isOpen
    }

    // MARK: The conversation's life

    /// Runs the conversation to its end.
    ///
    /// - Throws: what keeps it from beginning or going on, other than a connection that broke.
    func run() async throws -> Ending {
        defer { stop() }
        try await begin()
        while !isFinished {
            do {
                try await readFollow()
            } catch {
                guard Self.isWorthAnotherTry(error) else { throw error }
            }
            if let failure { throw failure }
            if !isFinished { try await reconnect() }
        }
        if let failure { throw failure }
        let connection = self.connection
        self.connection = nil
        await connection?.close()
        return session.ending ?? .cut
    }

    /// Whether there is nothing left to do: also after the user left, what was said before has to reach the relay.
    private var isFinished: Bool {
        switch session.ending {
        case nil: isOver
        case .left: isOver || queue?.isEmpty != false
        case .goodbye, .cut, .internalFailure: true
        }
    }

    private func begin() async throws {
        let connection = try await connect()
        self.connection = connection
        queue = AppendQueue(limits: connection.welcome.limits, now: .now())
        try await enter(connection, create: true)
        for output in session.start() {
            switch output {
            case .event(let event): tell(.session(event))
            case .frame(let frame):
                // What is older than the hello belongs to old runs: reading begins behind it.
                let id = EntryID.random()
                let reply = try await connection.request(channel.append(frame, id: id))
                if case .accepted(let seq) = reply { lastSeq = seq }
            }
        }
        follow = try await connection.follow(channel.id, epoch: MeetingChannel.epoch, fromSeq: lastSeq + 1)
        pump()
    }

    private func enter(_ connection: RelayConnection, create: Bool) async throws {
        var requests = [channel.present]
        if create { requests.insert(channel.create(retentionSeconds: Self.retentionSeconds), at: 0) }
        for request in requests {
            do throws(RelayConnectionError) {
                _ = try await connection.request(request)
            } catch {
                guard case .refused(let refusal) = error, [.gone, .exists, .denied].contains(refusal.code) else {
                    throw error
                }
                throw Failure(message: "somebody has closed or taken the channel of these two ids; agree on other ids")
            }
        }
    }

    private func readFollow() async throws {
        guard let follow else { return }
        for try await event in follow {
            guard case .entries(let entries) = event else { continue }
            for entry in entries {
                lastSeq = entry.seq
                if ownEntries.remove(entry.id) != nil { continue }
                carryOut(session.receive(entry.payload))
                if isFinished { return }
            }
        }
    }

    /// Makes the broken connection again, or counts the conversation as cut.
    private func reconnect() async throws {
        dropConnection()
        guard giveUpAfter > .zero else { return carryOut(session.connectionLost()) }
        tell(.reconnecting)
        let end = ContinuousClock.now + giveUpAfter
        var pause = Duration.milliseconds(100)
        while !isFinished {
            do {
                let connection = try await connect()
                try await enter(connection, create: false)
                follow = try await connection.follow(channel.id, epoch: MeetingChannel.epoch, fromSeq: lastSeq + 1)
                self.connection = connection
                generation += 1
                queue?.reconnected()
                tell(.reconnected)
                return pump()
            } catch {
                guard Self.isWorthAnotherTry(error) else { throw error }
            }
            guard ContinuousClock.now + pause < end else { return carryOut(session.connectionLost()) }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
    }

    private static func isWorthAnotherTry(_ error: any Error) -> Bool {
        switch error as? RelayConnectionError {
        case .unreachable, .closed, .notARelay: true
        case .turnedAway(let error), .refused(let error): error.code == .unavailable || error.code == .tooFast
        default: false
        }
    }

    /// The connection is given up; its follow ends, and with it ``readFollow()``.
    private func dropConnection() {
        follow?.cancel()
        follow = nil
        connection = nil
    }

    private func stop() {
        isOver = true
        follow?.cancel()
        wake()
    }

    // MARK: Outputs

    private func carryOut(_ outputs: [Output]) {
        for output in outputs {
            switch output {
            case .frame(let frame):
                let id = EntryID.random()
                ownEntries.insert(id)
                queue?.put(frame, id: id)
            case .event(.peerStartedAgain)
            where !session.isOpen && session.ending == nil && restarts < Self.mostRestarts:
                // Nothing was said yet, so nothing is lost by beginning anew too; the old run would wait for ever.
                guard let fresh = try? makeSession() else { continue }
                restarts += 1
                session = fresh
                tell(.beganAnew)
                return carryOut(session.start())
            case .event(let event):
                tell(.session(event))
                if case .refusedKey(let presented, let expected) = event {
                    fail(WrongPeerKey(presented: presented, expected: expected))
                }
            }
        }
        pump()
        if session.isOpen { wasOpen = true }
        if session.isOpen || session.ending != nil { wake() }
    }

    private func tell(_ event: ChatEvent) { report(event) }

    private func fail(_ error: any Error) {
        if failure == nil { failure = error }
        stop()
    }

    private func wake() {
        for waiting in waitingForRoom { waiting.resume() }
        waitingForRoom = []
        guard session.isOpen || session.ending != nil || isOver else { return }
        for waiting in waitingForOpen { waiting.resume() }
        waitingForOpen = []
    }

    private func pump() {
        guard let connection, queue != nil, !isPumpScheduled else { return }
        let now = NIODeadline.now()
        let generation = generation
        for item in queue?.next(now: now) ?? [] {
            connection.submit(channel.append(item.payload, id: item.id)) { [weak self] result in
                guard let self else { return }
                Task { await self.appended(item.id, result, generation) }
            }
        }
        if let delay = queue?.delay(now: now) { pump(afterMs: UInt32(delay.nanoseconds / 1_000_000) + 1) }
    }

    private func pump(afterMs delay: UInt32) {
        guard !isPumpScheduled else { return }
        isPumpScheduled = true
        Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(delay))
            await self?.pumpNow()
        }
    }

    private func pumpNow() {
        isPumpScheduled = false
        pump()
    }

    private func appended(_ id: EntryID, _ result: Result<Reply, RelayConnectionError>, _ generation: Int) {
        guard generation == self.generation else { return }
        let refusal: RelayError?
        switch result {
        case .success: refusal = nil
        case .failure(.refused(let error)): refusal = error
        // The follow learns the same and makes a new connection.
        case .failure: return
        }
        switch queue?.answered(id, error: refusal) {
        case .waitMs(let delay): pump(afterMs: delay)
        case .failed(let error): fail(RelayConnectionError.refused(error))
        case .goOn, nil: pump()
        }
        wake()
    }
}

/// The other user's key is not the expected one.
struct WrongPeerKey: Error {
    let presented: Fingerprint
    let expected: Fingerprint
}

/// How long a classic conversation waits for what.
enum ClassicTimeouts {
    /// For the relay to take the goodbye. Leaving must not hang on a relay that is gone.
    static let goodbye = Duration.seconds(5)
}
