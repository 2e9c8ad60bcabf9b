import Foundation
import KithWire
import MLS
import NIOCore
import NIOPosix

/// An open profile: an identity with its contacts and conversations. The profile is connected to its relays.
///
/// Only one process at a time may open a profile for sending and receiving. Each change is on the disk before anything is sent,
/// so the process may be killed at any moment. A profile runs on a thread that serves no connections.
public actor Profile {
    /// The threads of profiles. No connection uses these threads, so they may wait for the disk. The threads are never shut down:
    /// a caller may still use a closed profile, and a call on an ended thread would never return.
    private static let threads = MultiThreadedEventLoopGroup(numberOfThreads: ClientLimits.profileThreads)
    /// The event loop of the profile's thread.
    nonisolated let loop: any EventLoop
    /// The executor of the profile's thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

    let store: any ProfileStore
    private(set) var lock: ProfileLock?
    let machine: ProfileMachine
    let mailbox: Mailbox
    private var links: [RelayID: RelayLink] = [:]
    private var shortcuts: [RelayPin: RelayAddress] = [:]
    /// Moves the bytes of files; `nil` if the profile has no folder.
    nonisolated let transfers: FileTransfers?
    /// The callers that wait for the result of a command.
    private var waiting: [CommandID: (Result<any Sendable, KithError>) -> Void] = [:]
    var lastCommand: UInt64 = 0
    private var listeners: [Listener] = []
    /// Wakes the readers of cursors.
    let arrivals = Arrivals()
    private var relayStates: [KnownRelay: RelayState] = [:]
    private var wake: Scheduled<Void>?
    /// Checks regularly for requests of other processes.
    var requestWatch: RepeatedTask?
    /// The error that ended the profile, for example because the disk is full or the vault is damaged. `nil` if the profile is
    /// open, or was closed on purpose.
    public private(set) var failure: KithError?
    private(set) var isClosed = false

    init(store: any ProfileStore, lock: ProfileLock?) throws(KithError) {
        self.store = store
        self.lock = lock
        loop = Self.threads.next()
        // Without the lock, the profile is open for reading only, and damaged values are left out.
        if lock == nil {
            machine = try ProfileMachine(reading: store, now: Self.now)
        } else {
            machine = try ProfileMachine(opening: store, now: Self.now, steady: SteadyClock.nowMs)
        }
        mailbox = Mailbox(loop: loop)
        transfers = (store as? VaultStore).map { FileTransfers(folder: FilesFolder(ofProfile: $0.folder.url)) }
    }

    /// The time of the device's clock, in milliseconds since 1970.
    static var now: UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }

    /// Sets the address under which this process connects to the relay with the given pin. For example, a relay on this machine
    /// might be reachable only under a local address. The pin proves that the address leads to the right relay.
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
            // The event loop keeps the order of the changes, so that the last state is the current one.
            loop.execute { [weak self] in self?.assumeIsolated { $0.emit(state, of: id) } }
        }
    }

    private func emit(_ state: RelayState, of id: RelayID) {
        guard let relay = machine.knownRelay(id) else { return }
        emit(.relay(relay, state))
    }

    func begin() {
        mailbox.deliver = { [weak self] in self?.assumeIsolated { $0.drain() } }
        carryOut { () throws(KithError) in try machine.start(now: Self.now, steady: SteadyClock.nowMs) }
        drain()
        watchRequests()
        transfers?.clean(store)
    }

    /// Closes the connections, and releases the lock on the profile. If an error ended the profile, all pending calls fail with
    /// that error. If no error ended the profile, all pending calls fail with ``KithError/closed``. The file of the store is
    /// closed when the profile is no longer referenced.
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
        await transfers?.stop()
        for link in open { await link.finished() }
        lock = nil
    }

    // MARK: The loop

    func drain() {
        guard !isClosed, failure == nil else { return }
        let inputs = mailbox.take()
        guard !inputs.isEmpty else { return }
        carryOut { () throws(KithError) in try machine.handle(inputs, now: Self.now, steady: SteadyClock.nowMs) }
    }

    /// Stores a step's transaction, and then performs its effects.
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
        case .event(let event): emit(event)
        case .transfer(let job):
            let relay = job.relay
            transfers?.start(job, at: shortcuts[relay.pin] ?? relay.address, for: self)
        case .endTransfer(let id): transfers?.end(id)
        case .removeFile(let id): transfers?.folder.remove(id)
        case .finish(let id, let result): waiting.removeValue(forKey: id)?(result)
        }
    }

    /// Closes the profile after an error. The state in memory is newer than the state on the disk, so nothing may be sent any
    /// more.
    func closeAfterFailure(_ error: KithError) {
        failure = error
        Task { await close() }
    }

    private func schedule() {
        wake?.cancel()
        wake = nil
        guard let due = machine.wakeDelay else { return }
        // The delay is never zero, so that a due time without any work does not keep the processor busy.
        let delay = Int64(min(max(10, due), 3_600_000))
        let mailbox = mailbox
        wake = loop.scheduleTask(in: .milliseconds(delay)) { mailbox.put(.tick) }
    }

    private func emit(_ event: KithEvent) {
        if case .relay(let relay, let state) = event { relayStates[relay] = state }
        listeners.removeAll { $0.buffer == nil }
        for listener in listeners { listener.buffer?.put(event) }
        switch event {
        case .message, .conversation: arrivals.add()
        default: break
        }
    }

    /// Whether the profile is open for receiving and has a relay to receive from.
    package var isReceiving: Bool { lock != nil && !isClosed && !links.isEmpty }

    /// Passes a command to the machine. Returns the command's result when the result is on the disk.
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

    // MARK: Files

    /// Sends and receives files.
    public nonisolated var files: ProfileFiles { ProfileFiles(profile: self) }

    /// Runs `body` with the current state of the profile's files.
    func withFiles<R, E: Error>(_ body: @Sendable (FileViews) throws(E) -> R) throws(E) -> R {
        try body(FileViews(current))
    }

    /// Stores a request for the process that has opened the profile. Returns the `result` of `body`.
    func leaveRequest<R>(
        _ body: @Sendable (FileViews) throws(KithError) -> (request: [UInt8], result: R)
    ) throws(KithError) -> R {
        guard let vault = store as? VaultStore else { throw .inUse(pid: nil) }
        let (request, result) = try body(FileViews(current))
        _ = try reading { () throws(StoreError) in try vault.enqueueForOwner(request) }
        return result
    }

    // MARK: Events

    /// Returns a stream of events. The stream begins with the current states of the relays and of their clocks. After the current
    /// states, the stream delivers the events from `start` on. The stream ends when the profile is closed.
    ///
    /// Unread events wait, up to ``ClientLimits/unreadEvents``. Events are dropped when the unread events exceed that limit.
    /// After the subscriber has read the waiting events, the stream makes up for the dropped events by reading the profile:
    ///
    /// - The stream delivers each notice and each message of another member once, in the order of the log.
    /// - The stream delivers the user's own messages, beginning with the first one that was dropped. It delivers each of them
    ///   when the message is in the log, with the message's current state.
    /// - The stream delivers the current state of conversations, contacts and relays, and who is typing.
    /// - For each conversation with dropped changes of messages, the stream delivers one ``KithEvent/messagesChanged(_:)``.
    /// - Other events, such as ``KithEvent/memberIsOnline(_:_:name:_:)`` and ``KithEvent/warning(_:_:times:)``, cannot be read
    ///   again, and keep their places in the stream. If the events that cannot be read again fill more than half of the buffer,
    ///   the oldest of them are lost.
    ///
    /// If a program must see every message, even messages that arrive while the program is not running, use
    /// ``incomingMessages(as:from:acceptsStrangers:)``.
    ///
    /// - Parameter start: the point at which the events begin.
    public func events(from start: EventStart = .now) -> AsyncStream<KithEvent> {
        events(from: start, limit: ClientLimits.unreadEvents)
    }

    /// - Parameter limit: the maximum size of the waiting events, in bytes.
    func events(from start: EventStart, limit: Int) -> AsyncStream<KithEvent> {
        let buffer = EventBuffer(reading: isClosed ? DroppedEvents() : unread(start), limit: limit)
        for (relay, state) in relayStates { buffer.put(.relay(relay, state)) }
        for difference in machine.relayClockDifferences { buffer.put(.clock(difference)) }
        if isClosed { buffer.finish() } else { listeners.append(Listener(buffer: buffer)) }
        return AsyncStream { [weak self] in
            while true {
                switch await buffer.next() {
                case .event(let event): return event
                case .end: return nil
                case .dropped:
                    guard let self else { return nil }
                    await refill(buffer)
                }
            }
        } onCancel: {
            buffer.finish()
        }
    }

    private func unread(_ start: EventStart) -> DroppedEvents {
        var unread = DroppedEvents()
        for (conversation, first) in machine.unreadPlaces
        where start == .unread || start == .unreadIn(conversation) {
            unread.addOthers(from: first, in: conversation)
        }
        return unread
    }

    /// After events were dropped, reads the current state of their subjects, or a page of their messages, into the buffer. Only
    /// this actor adds events, so no event is added during the call.
    private func refill(_ buffer: EventBuffer) {
        do throws(KithError) {
            try buffer.refill { (dropped) throws(KithError) in
                if let subjects = dropped.takeSubjects() { return try currentEvents(of: subjects) }
                let messages = try dropped.readMessages { (conversation, seq) throws(KithError) in
                    try current.messages(in: conversation, from: seq, entries: ClientLimits.eventPage)
                }
                return messages.map { .message($0) }
            }
        } catch {
            buffer.finish(isBroken: true)
            if !isClosed { closeAfterFailure(error) }
        }
    }

    private func currentEvents(of subjects: DroppedEvents.Subjects) throws(KithError) -> [KithEvent] {
        var events: [KithEvent] = []
        for contact in contacts() where subjects.contacts.contains(contact.id) { events.append(.contact(contact)) }
        for id in subjects.conversations.sorted() {
            // The conversation may have been deleted, because it could not begin.
            guard let summary = try machine.summary(of: id) else { continue }
            events.append(.conversation(summary))
        }
        for (relay, state) in relayStates where subjects.relays.contains(relay) { events.append(.relay(relay, state)) }
        for id in subjects.changed.sorted() { events.append(.messagesChanged(id)) }
        for id in subjects.typing.sorted() { events.append(.typing(id, machine.typingMembers(in: id))) }
        return events
    }

    /// A subscriber, which is removed after its stream was released.
    private struct Listener {
        weak var buffer: EventBuffer?
    }
}
