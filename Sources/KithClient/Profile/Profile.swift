import Foundation
import KithWire
import MLS
import NIOCore
import NIOPosix

/// An open profile: an identity with its contacts and conversations, connected to its relays.
///
/// One process at a time has a profile open for sending and receiving. Each change is on the disk before anything is sent, so
/// the process may be killed at any moment. A profile works on a thread that no connection uses.
public actor Profile {
    /// The threads of profiles. They may wait for the disk without holding up a connection. They are never shut down: a caller
    /// may use a profile after it was closed, and a thread that is gone would never answer.
    private static let threads = MultiThreadedEventLoopGroup(numberOfThreads: ClientLimits.profileThreads)
    /// The event loop of the profile's thread.
    nonisolated let loop: any EventLoop
    /// Runs the actor on the profile's thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

    let store: any ProfileStore
    private(set) var lock: ProfileLock?
    let machine: ProfileMachine
    let mailbox: Mailbox
    private var links: [RelayID: RelayLink] = [:]
    private var shortcuts: [RelayPin: RelayAddress] = [:]
    /// The callers that wait for answers to commands.
    private var waiting: [CommandID: (Result<any Sendable, KithError>) -> Void] = [:]
    var lastCommand: UInt64 = 0
    private var listeners: [Listener] = []
    /// Wakes the readers of cursors.
    let arrivals = Arrivals()
    private var relayStates: [KnownRelay: RelayState] = [:]
    private var wake: Scheduled<Void>?
    /// Looks for the requests of other processes.
    var requestWatch: RepeatedTask?
    /// The error that ended the profile: for instance, the disk is full, or the vault is damaged. `nil` if the profile was
    /// closed on purpose, or is open.
    public private(set) var failure: KithError?
    private(set) var isClosed = false

    init(store: any ProfileStore, lock: ProfileLock?) throws(KithError) {
        self.store = store
        self.lock = lock
        loop = Self.threads.next()
        // Without the lock, the profile is only read, and damaged values are left out.
        if lock == nil {
            machine = try ProfileMachine(reading: store, now: Self.now)
        } else {
            machine = try ProfileMachine(opening: store, now: Self.now, steady: Self.steady)
        }
        mailbox = Mailbox(loop: loop)
    }

    /// The device's clock, in milliseconds since 1970.
    static var now: UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }

    private static let begin = ContinuousClock.now
    /// Milliseconds since the program first asked for them, by a clock that nobody sets and that goes on while the machine
    /// sleeps.
    static var steady: UInt64 {
        let (seconds, attoseconds) = (ContinuousClock.now - begin).components
        return UInt64(max(0, seconds)) * 1000 + UInt64(max(0, attoseconds)) / 1_000_000_000_000_000
    }

    /// Sets another address for the relay with a pin. A relay on this machine can be reached locally, even if its public
    /// address can't be. The pin proves that it is the same relay.
    package func reach(_ pin: RelayPin, at address: RelayAddress) {
        shortcuts[pin] = address
        for (id, link) in links where link.relay.pin == pin {
            link.stop()
            connect(id, link.relay)
        }
    }

    private func connect(_ id: RelayID, _ relay: RelayPoint) {
        links[id] = RelayLink(id, relay, at: shortcuts[relay.pin] ?? relay.address, mailbox: mailbox) {
            [weak self, loop] state in
            // In the order of the changes, so that the last state is the current one.
            loop.execute { [weak self] in self?.assumeIsolated { $0.tell(id, state) } }
        }
    }

    private func tell(_ id: RelayID, _ state: RelayState) {
        guard let relay = machine.knownRelay(id) else { return }
        tell(.relay(relay, state))
    }

    func begin() {
        mailbox.deliver = { [weak self] in self?.assumeIsolated { $0.drain() } }
        carryOut { () throws(KithError) in try machine.start(now: Self.now, steady: Self.steady) }
        drain()
        watchRequests()
    }

    /// Closes connections and the store. Pending calls fail with ``KithError/closed``.
    public func close() async {
        guard !isClosed else { return }
        isClosed = true
        wake?.cancel()
        requestWatch?.cancel()
        for link in links.values { link.stop() }
        let open = Array(links.values)
        links = [:]
        for answer in waiting.values { answer(.failure(failure ?? .closed)) }
        waiting = [:]
        for listener in listeners { listener.buffer?.finish() }
        listeners = []
        arrivals.finish()
        mailbox.close()
        for link in open { await link.finished() }
        lock = nil
    }

    // MARK: The loop

    func drain() {
        guard !isClosed, failure == nil else { return }
        let inputs = mailbox.take()
        guard !inputs.isEmpty else { return }
        carryOut { () throws(KithError) in try machine.handle(inputs, now: Self.now, steady: Self.steady) }
    }

    /// Stores a step's transaction, and then carries out its effects.
    private func carryOut(_ step: () throws(KithError) -> ProfileOutput) {
        let output: ProfileOutput
        do throws(KithError) {
            output = try step()
            if !output.transaction.isEmpty {
                try reading { () throws(StoreError) in try store.commit(output.transaction) }
            }
        } catch {
            return closeAfterFailure(error)
        }
        for effect in output.effects { carryOut(effect) }
        schedule()
    }

    private func carryOut(_ effect: Effect) {
        switch effect {
        case .connect(let id, let relay):
            links[id]?.stop()
            connect(id, relay)
        case .request(let id, let tag, let request): links[id]?.request(request, tag: tag)
        case .follow(let id, let tag, let channel, let epoch, let fromSeq):
            links[id]?.follow(FollowTarget(channel, epoch: epoch, fromSeq: fromSeq), tag: tag)
        case .unfollow(let id, let tag): links[id]?.unfollow(tag)
        case .event(let event): tell(event)
        case .finish(let id, let result): waiting.removeValue(forKey: id)?(result)
        }
    }

    /// Closes the profile after an error: the memory is ahead of the disk, so nothing more may be sent.
    func closeAfterFailure(_ error: KithError) {
        failure = error
        Task { await close() }
    }

    private func schedule() {
        wake?.cancel()
        wake = nil
        guard let due = machine.wakeDelay else { return }
        // Never at once, so that a due time without work does not keep the processor busy.
        let delay = Int64(min(max(10, due), 3_600_000))
        let mailbox = mailbox
        wake = loop.scheduleTask(in: .milliseconds(delay)) { mailbox.put(.tick) }
    }

    private func tell(_ event: KithEvent) {
        if case .relay(let relay, let state) = event { relayStates[relay] = state }
        listeners.removeAll { $0.buffer == nil }
        for listener in listeners { listener.buffer?.put(event) }
        switch event {
        case .message, .conversation: arrivals.add()
        default: break
        }
    }

    /// Whether the profile sends and receives, with a relay to receive from.
    package var isReceiving: Bool { lock != nil && !isClosed && !links.isEmpty }

    /// Gives the machine a command, and returns its answer once that is on the disk.
    func perform<Answer>(_ command: Command<Answer>) async throws(KithError) -> Answer {
        if let failure { throw failure }
        guard !isClosed else { throw .closed }
        guard lock != nil else { throw .inUse(pid: nil) }
        lastCommand += 1
        let id = CommandID(rawValue: lastCommand)
        let result: Result<Answer, KithError> = await withCheckedContinuation { continuation in
            waiting[id] = { continuation.resume(returning: Ticket(id).answer($0)) }
            mailbox.put(.command(id, command))
            drain()
        }
        return try result.get()
    }

    // MARK: Events

    /// The events from now on, after the current states of the relays and their clocks. Ends when the profile is closed.
    ///
    /// Events that are not taken wait, up to ``ClientLimits/unreadEvents``. Beyond that, the oldest event is dropped, and the
    /// next one taken is ``KithEvent/missed``: the subscriber then reads the state from the profile.
    public func events() -> AsyncStream<KithEvent> {
        let buffer = EventBuffer()
        for (relay, state) in relayStates { buffer.put(.relay(relay, state)) }
        for difference in machine.relayClockDifferences { buffer.put(.clock(difference)) }
        if isClosed { buffer.finish() } else { listeners.append(Listener(buffer: buffer)) }
        return AsyncStream {
            await buffer.next()
        } onCancel: {
            buffer.finish()
        }
    }

    /// A subscriber. It is removed once its stream is released.
    private struct Listener {
        weak var buffer: EventBuffer?
    }
}
