import KithCore
import KithWire
import NIOCore
import NIOPosix
import Synchronization

/// Keeps a profile connected to one relay until the link is stopped. The link passes bytes, times and requests to a
/// ``LinkMachine``, and performs the machine's actions.
final class RelayLink: RelayWireUser {
    private struct State {
        var machine: LinkMachine
        /// The current connection, or the current attempt to connect. Calls from earlier wires are ignored.
        var wire: RelayWire?
        /// The task of the latest connection, which ends when that connection has closed.
        var task: Task<Void, Never>?
    }

    /// The relay's address and key in the profile's records.
    let relay: RelayPoint
    private let address: RelayAddress
    private let mailbox: Mailbox
    private let report: @Sendable (RelayState) -> Void
    private let state: Mutex<State>
    private let alarm = Alarm(on: MultiThreadedEventLoopGroup.singleton.next())

    var unread: UnreadBytes { mailbox.unread }

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - address: the address to connect to, which may differ from the relay's address in the profile's records.
    ///   - report: called with each new state, in the order of the states.
    init(
        _ id: RelayID, _ relay: RelayPoint, at address: RelayAddress, mailbox: Mailbox,
        report: @escaping @Sendable (RelayState) -> Void
    ) {
        self.relay = relay
        self.address = address
        self.mailbox = mailbox
        self.report = report
        state = Mutex(State(machine: LinkMachine(id, pass: relay.pass)))
        update { machine, _ in machine.start() }
    }

    /// Ends the connection for good. Before this function returns, the mailbox gets `disconnected` as the last input from this
    /// link.
    func stop() {
        update { machine, _ in machine.stop() }
        alarm.cancel()
    }

    /// Returns after the last connection has closed.
    func finished() async { await state.withLock { $0.task }?.value }

    // MARK: Requests

    func request(_ request: Request, tag: UInt64) {
        update { machine, now in machine.request(request, tag: tag, now: now) }
    }

    func follow(_ place: FollowTarget, tag: UInt64) {
        update { machine, now in machine.follow(place, tag: tag, now: now) }
    }

    func unfollow(_ tag: UInt64) {
        update { machine, now in machine.unfollow(tag, now: now) }
    }

    // MARK: The wire

    func didConnect(_ wire: RelayWire) {
        update(ifCurrent: wire) { machine, now in machine.didConnect(now: now) }
    }

    func didReceive(_ message: [UInt8], on wire: RelayWire) {
        let bytes = message.count + ClientLimits.unreadOverhead
        update(ifCurrent: wire, bytes: bytes) { machine, now in machine.receive(message, now: now) }
    }

    func didSetReading(_ isReading: Bool, of wire: RelayWire) {
        update(ifCurrent: wire) { machine, now in
            if isReading { machine.resumeReading(now: now) } else { machine.pauseReading() }
            return []
        }
    }

    func didClose(_ wire: RelayWire, _ error: RelayConnectionError) {
        update(ifCurrent: wire) { machine, now in machine.didClose(error, now: now) }
    }

    // MARK: The machine

    /// Changes the machine and performs the machine's actions.
    ///
    /// - Parameters:
    ///   - wire: the wire that makes the call; `nil` if another part of the program makes the call. A call from an earlier wire
    ///     is ignored.
    ///   - bytes: the size of the relay's message that is passed to the machine; 0 without a message.
    private func update(
        ifCurrent wire: RelayWire? = nil, bytes: Int = 0, _ body: (inout LinkMachine, Duration) -> [LinkMachine.Action]
    ) {
        // The actions are performed under the lock too, so that actions of two threads do not mix.
        state.withLock { state in
            guard wire == nil || wire === state.wire else { return }
            for action in body(&state.machine, SteadyClock.now) { carryOut(action, bytes: bytes, &state) }
            alarm.set(at: state.machine.wakeTime) { [weak self] in
                self?.update { machine, now in machine.timePassed(now: now) }
            }
        }
    }

    private func carryOut(_ action: LinkMachine.Action, bytes: Int, _ state: inout State) {
        switch action {
        case .connect: connect(&state)
        case .send(let frame): state.wire?.send(frame)
        case .disconnect(let error):
            state.wire?.close(error)
            state.wire = nil
        case .deliver(let input): mailbox.put(input, bytes: bytes)
        case .report(let report): self.report(RelayState(report))
        }
    }

    private func connect(_ state: inout State) {
        let wire = RelayWire(on: MultiThreadedEventLoopGroup.singleton.next())
        state.wire = wire
        state.task = Task {
            do throws(RelayConnectionError) {
                try await wire.connect(
                    to: address, check: PinCheck(.pinned(relay.pin)), timeouts: RelayTimeouts(), user: self)
                await wire.waitUntilClosed()
            } catch {
                didClose(wire, error)
            }
        }
    }
}

extension RelayState {
    /// Converts a report of the ``LinkMachine`` for the user. If the link waits, the result says when the next attempt begins,
    /// according to the device's clock.
    fileprivate init(_ report: LinkReport) {
        func waiting(_ reason: String, _ pause: Duration) -> RelayState {
            let milliseconds = UInt64(max(0, pause / .milliseconds(1)))
            return .waiting(RelayPause(reason: reason, untilMs: Profile.now + milliseconds))
        }
        self =
            switch report {
            case .connecting: .connecting
            case .connected: .connected
            case .unreachable(let error, let pause): waiting(error.description, pause)
            case .refused(let error): .refused(error)
            case .ended(let pause): waiting("the relay ended the connection", pause)
            }
    }
}
