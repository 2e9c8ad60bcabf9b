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
    typealias Report = @Sendable (ClassicEvent) -> Void

    /// How many frames may wait to be accepted before ``send(_:)`` waits too.
    private static let mostWaiting = 256
    /// Entries are of no use once both have left, so the relay need not keep them for its usual month.
    private static let retentionSeconds: UInt32 = 86_400

    var session: ClassicSession
    let makeSession: @Sendable () throws -> ClassicSession
    /// Before the handshake begins anew. Anybody who knows both ids can make it seem that the other user started again.
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
    /// Counts connections, so that answers of a former one are told apart.
    var generation = 0
    var queue: AppendQueue?
    var lastAccepted = ContinuousClock.now
    /// Texts that wait for room in the queue, and those that can't be sent at all.
    private var textsHeldUp = 0
    private var textsRefused = 0
    var ownEntries: Set<EntryID> = []
    private var lastSeq: UInt64 = 0
    var isAppendScheduled = false
    var failure: (any Error)?
    var isOver = false
    /// Whether the two were ever connected.
    var wasOpen = false
    var established: Established?
    var waitingForRoom: [CheckedContinuation<Void, Never>] = []
    var waitingForOpen: [CheckedContinuation<Void, Never>] = []

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

    /// How many of the user's texts the relay does not have.
    var unsent: Int { textsHeldUp + textsRefused + (queue?.texts ?? 0) }

    /// Why the user leaves.
    enum Leaving {
        /// They want to, now: what the relay can't be told soon, it is not told.
        case now
        /// They have said everything: as long as the relay takes it, it is waited for.
        case saidEverything
    }

    /// Leaves: says goodbye if there is somebody to say it to, and waits until the relay has it. Returns whether it has
    /// everything, and the two were connected at all.
    ///
    /// - Throws: what has ended the conversation already, if it was no goodbye.
    func leave(_ why: Leaving) async throws -> ClassicDriver.Ending {
        carryOut(session.bye())
        // While a relay is looked for, there is none to tell.
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

    /// How long the relay may still take; `nil` when that was all.
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

    /// Returns once messages can be sent: what the two have then, which is on the screen. `nil` if messages never can be.
    func waitUntilOpen() async -> Established? {
        if !session.isOpen, !isOver { await withCheckedContinuation { waitingForOpen.append($0) } }
        return session.isOpen ? established : nil
    }

    // MARK: The conversation's life

    /// Runs the conversation to its end.
    ///
    /// - Throws: what keeps it from beginning or going on, other than a connection that broke.
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
        message: "somebody who knows both ids has closed or taken their channel; agree on other ids")

    /// What to tell the user: a channel that is no longer the two's does not become it again.
    static func saying(_ error: any Error) -> any Error {
        guard case .refused(let refusal) = error as? RelayConnectionError,
            [.gone, .exists, .denied, .staleEpoch].contains(refusal.code)
        else { return error }
        return channelIsTaken
    }

    private func readFollow() async throws {
        guard let follow else { return }
        for try await event in follow {
            // Nothing of the two's own ends the epoch, and nothing can be said in it any more.
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

    /// Makes the broken connection again, or counts the conversation as cut.
    private func reconnect() async throws {
        dropConnection()
        guard giveUpAfter > .zero else { return carryOut(session.connectionLost()) }
        tell(.reconnecting)
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
                tell(.reconnected)
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

    /// The connection is given up; its follow ends, and with it ``readFollow()``.
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
