import Foundation
import KithSupport
import KithWire
import NIOCore
import Synchronization

/// A connection to one relay, kept up: it reconnects with a growing, jittered delay until it is stopped.
final class RelayLink: Sendable {
    private let id: RelayID
    /// The relay as it is known.
    let relay: RelayPoint
    private let address: RelayAddress
    private let mailbox: Mailbox
    private let report: @Sendable (RelayState) -> Void
    private let state = Mutex(State())

    private struct State {
        var task: Task<Void, Never>?
        var connection: RelayConnection?
        var follows: [UInt64: Task<Void, Never>] = [:]
        /// What has not gone out yet, in order, so that the relay's limit is kept.
        var queue = CircularBuffer<Asked>()
        var pace: TokenBucket?
        var isWaiting = false
        var isStopped = false
    }

    private enum Asked {
        case request(Request, tag: UInt64)
        case follow(ChannelID, epoch: UInt64, fromSeq: UInt64, tag: UInt64)
    }

    init(
        _ id: RelayID, _ relay: RelayPoint, at address: RelayAddress, mailbox: Mailbox,
        report: @escaping @Sendable (RelayState) -> Void
    ) {
        self.id = id
        self.relay = relay
        self.address = address
        self.mailbox = mailbox
        self.report = report
        state.withLock { $0.task = Task { await self.keepUp() } }
    }

    /// Ends the connection and does not make another. That it is over is said before this returns, and nothing after it.
    func stop() {
        let (task, follows) = state.withLock { state in
            state.isStopped = true
            return (state.task, didDisconnect(&state))
        }
        task?.cancel()
        for follow in follows { follow.cancel() }
    }

    /// Returns when it is over.
    func finished() async { await state.withLock { $0.task }?.value }

    // MARK: Connecting

    private func keepUp() async {
        var backoff = Backoff.reconnecting
        while !Task.isCancelled {
            report(.connecting)
            do throws(RelayConnectionError) {
                let connection = try await RelayConnection.connect(
                    to: address, trust: .pinned(relay.pin), pass: relay.pass)
                let begin = ContinuousClock.now
                await use(connection)
                backoff.connectionEnded(after: ContinuousClock.now - begin)
                if !backoff.isShortest, !Task.isCancelled {
                    report(
                        .waiting(
                            RelayPause(reason: "the relay ended the connection", untilMs: Profile.now + backoff.stepMs))
                    )
                }
            } catch {
                if error.isFinal {
                    // A relay with another key is not this relay, which may come back.
                    report(.refused(error))
                } else {
                    report(.waiting(RelayPause(reason: error.description, untilMs: Profile.now + backoff.stepMs)))
                }
            }
            if Task.isCancelled { return }
            try? await Task.sleep(for: .milliseconds(backoff.nextMs()))
        }
    }

    private func use(_ connection: RelayConnection) async {
        let isStopped = state.withLock { state in
            guard !state.isStopped else { return true }
            state.connection = connection
            state.queue.removeAll()
            state.pace = TokenBucket(below: connection.welcome.limits)
            let welcome = connection.welcome
            mailbox.put(.connected(id, limits: welcome.limits, timeMs: welcome.timeMs))
            return false
        }
        guard !isStopped else { return await connection.close() }
        report(.connected)
        await withTaskCancellationHandler {
            await connection.waitUntilClosed()
        } onCancel: {
            Task { await connection.close() }
        }
        for follow in state.withLock({ didDisconnect(&$0) }) { follow.cancel() }
    }

    /// Says so, once. Returns the follows that are over with it, to be cancelled.
    private func didDisconnect(_ state: inout State) -> [Task<Void, Never>] {
        if state.connection != nil { mailbox.put(.disconnected(id)) }
        state.connection = nil
        defer { state.follows = [:] }
        return Array(state.follows.values)
    }

    // MARK: Requests

    func request(_ request: Request, tag: UInt64) { ask(.request(request, tag: tag)) }

    func follow(_ channel: ChannelID, epoch: UInt64, fromSeq: UInt64, tag: UInt64) {
        ask(.follow(channel, epoch: epoch, fromSeq: fromSeq, tag: tag))
    }

    private func ask(_ asked: Asked) {
        state.withLock { state in
            guard state.connection != nil else { return }
            state.queue.append(asked)
            send(&state)
        }
    }

    /// Sends what the relay's limit allows now, and the rest in time.
    private func send(_ state: inout State) {
        guard let connection = state.connection else { return }
        while let asked = state.queue.first, state.pace?.take(at: .now()) != false {
            state.queue.removeFirst()
            switch asked {
            case .request(let request, let tag): submit(request, tag, connection)
            case .follow(let channel, let epoch, let fromSeq, let tag):
                state.follows[tag] = Task { await self.follow(connection, channel, epoch, fromSeq, tag) }
            }
        }
        guard !state.queue.isEmpty, !state.isWaiting, let delay = state.pace?.wait(at: .now()) else { return }
        state.isWaiting = true
        Task {
            try? await Task.sleep(for: .nanoseconds(delay.nanoseconds))
            self.state.withLock { state in
                state.isWaiting = false
                self.send(&state)
            }
        }
    }

    private func submit(_ request: Request, _ tag: UInt64, _ connection: RelayConnection) {
        let (id, mailbox) = (id, mailbox)
        connection.submit(request) { result in
            switch result {
            case .success(let reply): mailbox.put(.answered(id, tag: tag, .success(reply)))
            case .failure(.refused(let error)): mailbox.put(.answered(id, tag: tag, .failure(error)))
            case .failure(.overloaded):
                let error = RelayError(.unavailable, "the connection is busy")
                mailbox.put(.answered(id, tag: tag, .failure(error)))
            // The connection is over; that is said once for all.
            case .failure: break
            }
        }
    }

    private func follow(
        _ connection: RelayConnection, _ channel: ChannelID, _ epoch: UInt64, _ fromSeq: UInt64, _ tag: UInt64
    ) async {
        defer { state.withLock { _ = $0.follows.removeValue(forKey: tag) } }
        do throws(RelayConnectionError) {
            let follow = try await begin(connection, channel, epoch, fromSeq)
            mailbox.put(.followStarted(id, tag: tag, firstSeq: follow.firstSeq, lastSeq: follow.lastSeq))
            var iterator = follow.makeAsyncIterator()
            while let event = try await iterator.next() {
                if Task.isCancelled { return }
                // Until there is room nothing more is taken from the connection, which then asks the relay to hold it back.
                await mailbox.putWaiting(.followed(id, tag: tag, event), bytes: event.payloadBytes)
            }
        } catch {
            switch error {
            case .refused(let error): mailbox.put(.followRefused(id, tag: tag, error))
            case .alreadyFollowing, .overloaded:
                let error = RelayError(.unavailable, "the connection is busy")
                mailbox.put(.followRefused(id, tag: tag, error))
            // The connection is over; that is said once for all.
            default: break
            }
        }
    }

    /// A follow that was ended a moment ago may not be over yet for the connection.
    private func begin(
        _ connection: RelayConnection, _ channel: ChannelID, _ epoch: UInt64, _ fromSeq: UInt64
    ) async throws(RelayConnectionError) -> RelayFollow {
        for _ in 0..<100 {
            do throws(RelayConnectionError) {
                return try await connection.follow(channel, epoch: epoch, fromSeq: fromSeq)
            } catch {
                guard error == .alreadyFollowing else { throw error }
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
        throw .alreadyFollowing
    }

    func unfollow(_ tag: UInt64) {
        state.withLock { state in
            state.queue.removeAll { if case .follow(_, _, _, tag) = $0 { true } else { false } }
            return state.follows.removeValue(forKey: tag)
        }?.cancel()
    }
}

extension RelayConnectionError {
    /// Whether trying again soon is pointless.
    var isFinal: Bool {
        switch self {
        case .pinMismatch, .turnedAway, .protocolViolation: true
        default: false
        }
    }
}
