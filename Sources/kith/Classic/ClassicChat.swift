import ClassicSession
import KithClient
import KithWire
import NIOCore

/// One run of the classic session over a relay. The session's frames become entries of a channel, and the entries of the channel
/// become the session's input.
///
/// If the connection breaks, the client connects again, and the session continues. The relay recognises repeated entries by their
/// ids. If reconnecting fails for too long, the session ends, and its ending is `cut`.
actor ClassicChat {
    /// A function that receives the events for the user, in order.
    typealias Report = @Sendable (ClassicEvent) -> Void

    /// Maximum number of frames that the relay has not accepted. At this number, ``send(_:)`` waits.
    private static let mostWaiting = 256
    /// Time for which the relay keeps entries, in seconds. After both sides have left, the entries are useless, so a day is
    /// enough.
    private static let retentionSeconds: UInt32 = 86_400

    var session: ClassicSession
    let makeSession: @Sendable () throws -> ClassicSession
    /// Pause before a restart of the handshake. Anyone who knows both ids can pretend that the other user has restarted. The
    /// pause limits the number of restarts that a stranger can cause.
    var restartPause = ClassicTimeouts.restarting
    var isBeginningAnew = false
    private var reconnectPause = ClassicTimeouts.reconnecting
    private var connectedAt = ContinuousClock.now
    let channel: MeetingChannel
    private let connect: @Sendable () async throws -> RelayConnection
    private let giveUpAfter: Duration
    let report: Report

    var connection: RelayConnection?
    private var follow: RelayFollow?
    /// The number of the current connection. The number identifies late answers of an earlier connection.
    var generation = 0
    var queue: AppendQueue?
    var lastAccepted = ContinuousClock.now
    /// Number of texts that wait for room in the queue.
    private var textsHeldUp = 0
    private var textsRefused = 0
    var ownEntries: Set<EntryID> = []
    private var lastSeq: UInt64 = 0
    var isAppendScheduled = false
    var failure: (any Error)?
    var isOver = false
    /// Whether the session was ever open.
    var wasOpen = false
    var established: Established?
    var waitingForRoom: [CheckedContinuation<Void, Never>] = []
    var waitingForOpen: [CheckedContinuation<Void, Never>] = []

    /// - Parameters:
    ///   - session: creates a new session of the same two users, with the same identity.
    ///   - giveUpAfter: maximum time for reconnecting after the connection has broken.
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

    // MARK: The user

    /// Sends a text. First waits while too many earlier frames have not been accepted by the relay.
    func send(_ text: String) async throws(ClassicSendError) {
        textsHeldUp += 1
        defer { textsHeldUp -= 1 }
        while (queue?.count ?? 0) >= Self.mostWaiting, !isOver {
            await withCheckedContinuation { waitingForRoom.append($0) }
        }
        do {
            carryOut(try session.send(text), areText: true)
        } catch {
            textsRefused += 1
            throw error
        }
    }

    /// Number of the user's texts that the relay does not have.
    var unsent: Int { textsHeldUp + textsRefused + (queue?.texts ?? 0) }

    /// The reason why the user leaves.
    enum Leaving {
        /// The user wants to leave at once. Frames that the relay does not accept soon are dropped.
        case now
        /// The user's input has ended. Frames are sent as long as the relay accepts them.
        case saidEverything
    }

    /// Leaves the conversation. If the session is open, says goodbye, and waits until the relay has accepted the goodbye or the
    /// time limit has passed.
    ///
    /// - Returns: `goodbye` if the relay has everything, `leftBeforeItBegan` if the session was never open, and `cut` in all
    ///   other cases.
    /// - Throws: the error that has already ended the conversation.
    func leave(_ why: Leaving) async throws -> ClassicDriver.Ending {
        carryOut(session.bye())
        // Without a connection, the goodbye cannot be sent.
        if why == .now, connection == nil { stop() }
        let start = ContinuousClock.now
        let deadline = Task {
            while let left = timeLeft(why, since: start) { try await Task.sleep(for: left) }
            stop()
        }
        while queue?.isEmpty == false, !isOver {
            await withCheckedContinuation { waitingForRoom.append($0) }
        }
        deadline.cancel()
        stop()
        if let failure { throw failure }
        guard wasOpen else { return .leftBeforeItBegan }
        return queue?.isEmpty == true && session.ending != .cut ? .goodbye : .cut
    }

    /// Returns the time that is left for the relay; `nil` if no time is left.
    private func timeLeft(_ why: Leaving, since start: ContinuousClock.Instant) -> Duration? {
        let end =
            switch why {
            case .now: start + ClassicTimeouts.goodbye
            case .saidEverything:
                max(start, lastAccepted)
                    + (connection == nil ? ClassicTimeouts.goodbye : ClassicTimeouts.lastLines)
            }
        let left = end - .now
        return left > .zero ? left : nil
    }

    /// Waits until messages can be sent. Returns the established session, whose keys are on the screen by then, or `nil` if the
    /// conversation is over.
    func waitUntilOpen() async -> Established? {
        if !session.isOpen, !isOver { await withCheckedContinuation { waitingForOpen.append($0) } }
        return session.isOpen ? established : nil
    }

    // MARK: The conversation's life

    /// Runs the conversation to its end. If the connection breaks, connects again.
    ///
    /// - Throws: an error that prevents the conversation from beginning or continuing.
    func run() async throws -> Ending {
        defer { stop() }
        do { try await live() } catch { fail(Self.saying(error)) }
        if let failure { throw failure }
        let connection = self.connection
        self.connection = nil
        await connection?.close()
        return session.ending ?? .cut
    }

    private func live() async throws {
        try await begin()
        while !isFinished {
            do {
                try await readFollow()
            } catch {
                guard Self.isWorthAnotherTry(error) else { throw error }
            }
            if !isFinished { try await reconnect() }
        }
    }

    /// Whether nothing is left to do. After the user has left, the relay still has to accept the queued texts.
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
            case .event(let event): report(.session(event))
            case .frame(let frame):
                // Entries before this side's hello belong to earlier runs, so reading begins after the hello.
                let id = EntryID.random()
                let reply = try await connection.request(channel.append(frame, id: id))
                if case .accepted(let seq) = reply { lastSeq = seq }
            }
        }
        follow = try await connection.follow(channel.id, epoch: MeetingChannel.epoch, fromSeq: lastSeq + 1)
        appendNext()
    }

    private func enter(_ connection: RelayConnection, create: Bool) async throws {
        var requests = [channel.present]
        if create { requests.insert(channel.create(retentionSeconds: Self.retentionSeconds), at: 0) }
        for request in requests {
            _ = try await connection.request(request)
        }
    }

    private static let channelIsTaken = Failure(
        message: "somebody who knows both ids has closed or taken over the channel; agree on other ids")

    /// Returns the error to show. If the relay's refusal means that somebody else might have closed the channel or taken it
    /// over, the returned error says so.
    static func saying(_ error: any Error) -> any Error {
        guard case .refused(let refusal) = error as? RelayConnectionError,
            [.gone, .exists, .denied, .staleEpoch].contains(refusal.code)
        else { return error }
        return channelIsTaken
    }

    private func readFollow() async throws {
        guard let follow else { return }
        for try await event in follow {
            // Neither user ever ends the epoch, so somebody else has done it. Nothing can be sent after its end.
            if case .epochEnded = event { throw Self.channelIsTaken }
            guard case .entries(let entries) = event else { continue }
            for entry in entries {
                lastSeq = entry.seq
                if ownEntries.remove(entry.id) != nil { continue }
                carryOut(session.receive(entry.payload))
                if isFinished { return }
            }
        }
    }

    /// Makes a new connection after the old one has broken. If this fails for too long, ends the session with the ending `cut`.
    private func reconnect() async throws {
        dropConnection()
        guard giveUpAfter > .zero else { return carryOut(session.connectionLost()) }
        report(.reconnecting)
        let end = ContinuousClock.now + giveUpAfter
        if connectedAt + ClassicTimeouts.steadyAfter < .now {
            reconnectPause.reset()
        }
        while !isFinished {
            let left = end - .now
            guard left > .zero else { return carryOut(session.connectionLost()) }
            try? await Task.sleep(for: min(.milliseconds(reconnectPause.nextMs()), left))
            guard !isFinished else { return }
            do {
                let connection = try await connect()
                try await enter(connection, create: false)
                follow = try await connection.follow(channel.id, epoch: MeetingChannel.epoch, fromSeq: lastSeq + 1)
                self.connection = connection
                connectedAt = .now
                generation += 1
                queue?.reconnected()
                report(.reconnected)
                return appendNext()
            } catch {
                guard Self.isWorthAnotherTry(error) else { throw error }
            }
        }
    }

    private static func isWorthAnotherTry(_ error: any Error) -> Bool {
        switch error as? RelayConnectionError {
        case .unreachable, .closed, .notARelay: true
        case .turnedAway(let error), .refused(let error): error.code == .unavailable || error.code == .tooFast
        default: false
        }
    }

    /// Closes the connection, and thereby ends the follow and ``readFollow()``.
    private func dropConnection() {
        follow?.cancel()
        follow = nil
        connection = nil
    }

    func stop() {
        isOver = true
        follow?.cancel()
        wake()
    }
}

/// The other user's key is not the expected one.
struct WrongPeerKey: Error {
    let presented: Fingerprint
    let expected: Fingerprint
}
