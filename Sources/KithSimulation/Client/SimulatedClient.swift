import KithCore
import KithWire
import MLS
import TestSupport

/// A device in a simulation: the messenger over a store in memory, and around it what `Profile` does, with everything that can
/// happen to it on the way.
final class SimulatedClient {
    let index: Int
    let name: String
    unowned let world: Simulation
    let store = MemoryProfileStore()
    private(set) var account: AccountKey?
    let source: RandomSource
    /// How far the device's clock is off, in milliseconds.
    var clockOffset: Int64 = 0
    /// Whether there is a network.
    var isOnline = true

    /// Whether the person accepts every conversation that a stranger begins, as soon as it is shown.
    var acceptsStrangers = true

    /// Is told of every transaction.
    var didStore: ((StoreTransaction) -> Void)?

    private(set) var messenger: Messenger?
    /// Goes up with every start: what was scheduled for an earlier one means nothing any more.
    private(set) var incarnation = 0
    private var links: [RelayID: SimulatedLink] = [:]
    private var mailbox: [MessengerInput] = []
    /// The bytes of the relays' messages in the mailbox.
    private var unreadBytes = 0
    private var isDrainScheduled = false
    private var wakeNumber = 0
    private var lastCommand: UInt64 = 0
    /// What is asked for and has no result. Lost when the device dies.
    private(set) var waiting: [CommandID: (Result<any Sendable, KithError>) -> Void] = [:]
    /// Steps since something came of one.
    private var idleTicks = 0

    init(_ index: Int, _ world: Simulation, random: SeededGenerator) {
        self.index = index
        self.world = world
        name = "p\(index)"
        source = random.source()
    }

    /// Milliseconds since 1970, by the device's clock.
    var localNow: UInt64 { UInt64(max(0, Int64(world.now) + clockOffset)) }

    var isRunning: Bool { messenger != nil }

    // MARK: Starting and dying

    /// Makes the profile.
    func create() {
        do {
            try store.commit(
                ProfileRecord.new(name: name, deviceName: "d", suite: Simulation.suite, now: localNow, random: source))
        } catch { world.violate("\(name) cannot make a profile: \(error)") }
        start()
        account = messenger?.identity.accountKey
    }

    func start() {
        guard messenger == nil else { return }
        incarnation += 1
        world.trace.note(world.now, "start \(index)")
        do throws(KithError) {
            let messenger = try Messenger(
                opening: store, now: localNow, steady: world.now, random: source, sizes: world.sizes,
                folding: Simulation.folding)
            self.messenger = messenger
            let output = try messenger.start(now: localNow, steady: world.now)
            carryOut(output)
            for summary in try self.messenger?.conversationSummaries() ?? [] { accept(summary) }
        } catch {
            messenger = nil
            world.violate("\(name) cannot open its profile: \(error)")
        }
    }

    /// Dies here and now. What is on its disk stays; so does what it sent.
    func die(_ why: String) {
        world.trace.note(world.now, "die \(index) \(why)")
        world.counts.crashes += 1
        stop()
        world.schedule(.start(client: index), after: UInt64(world.random.pick(1...20_000)))
    }

    private func stop() {
        messenger = nil
        incarnation += 1
        for link in links.values.sorted(by: { $0.id < $1.id }) { link.stop() }
        links = [:]
        mailbox = []
        unreadBytes = 0
        isDrainScheduled = false
        waiting = [:]
        idleTicks = 0
    }

    // MARK: The loop

    /// Whether the client's connections do not read.
    var isFull: Bool { unreadBytes >= world.unreadBytes }

    /// Puts an input in the mailbox.
    ///
    /// - Parameter bytes: the size of the relay's message that brought it; 0 if none did.
    func put(_ input: MessengerInput, bytes: Int = 0) {
        guard isRunning else { return }
        mailbox.append(input)
        unreadBytes += bytes
        guard !isDrainScheduled else { return }
        isDrainScheduled = true
        world.schedule(.drain(client: index, incarnation), after: UInt64(world.random.pick(0...2)))
    }

    func drain() {
        isDrainScheduled = false
        let inputs = mailbox
        mailbox = []
        unreadBytes = 0
        defer { world.resumeReading(self) }
        guard let messenger, !inputs.isEmpty else { return }
        do throws(KithError) {
            let output = try messenger.handle(inputs, now: localNow, steady: world.now)
            checkProgress(inputs, output, messenger)
            world.judge.check(inputs, output, self)
            carryOut(output)
        } catch {
            world.violate("\(name): a step throws: \(error)")
            die("error")
        }
    }

    /// A wake-up that brings nothing and comes again at once would go on for ever.
    private func checkProgress(_ inputs: [MessengerInput], _ output: MessengerOutput, _ messenger: Messenger) {
        guard inputs.allSatisfy({ if case .tick = $0 { true } else { false } }), output.transaction.isEmpty,
            output.effects.isEmpty
        else {
            idleTicks = 0
            return
        }
        // To look every ten minutes whether a wrong clock is right again is no haste.
        idleTicks = messenger.wakeDelay.map { $0 < 60_000 } == true ? idleTicks + 1 : 0
        if messenger.wakeDelay == 0 { world.violate("\(name): a tick stays due") }
        if idleTicks > 1_000 {
            idleTicks = 0
            world.violate("\(name): wakes up again and again and does nothing")
        }
    }

    /// On the disk first, and only then anything else; unless something happens in between.
    private func carryOut(_ output: MessengerOutput) {
        if world.random.chance(world.faults.crash) { return die("before storing") }
        if !output.transaction.isEmpty {
            let fails = world.random.chance(world.faults.storeFailure)
            store.failCommits(with: fails ? .full : nil)
            do throws(StoreError) {
                try store.commit(output.transaction)
            } catch { return die("store") }
            world.judge.didStore(output.transaction, self)
            didStore?(output.transaction)
        }
        let incarnation = incarnation
        for effect in output.effects {
            if world.random.chance(world.faults.crash / 3) { return die("between effects") }
            carryOut(effect)
            // A result that somebody waited for may have led to this device's end.
            guard incarnation == self.incarnation else { return }
        }
        scheduleWake()
    }

    private func carryOut(_ effect: Effect) {
        switch effect {
        case .connect(let id, let point):
            links[id]?.stop()
            let link = SimulatedLink(id, point, self)
            links[id] = link
            link.start()
        case .request(let id, let tag, let request):
            world.judge.willSend(request, self)
            links[id]?.request(request, tag: tag)
        case .follow(let id, let tag, let channel, let epoch, let fromSeq):
            links[id]?.follow(FollowTarget(channel, epoch: epoch, fromSeq: fromSeq), tag: tag)
        case .unfollow(let id, let tag): links[id]?.unfollow(tag)
        case .event(let event):
            world.judge.didTell(event, self)
            if case .conversation(let summary) = event { accept(summary) }
        case .finish(let id, let result):
            world.trace.note(world.now, "\(index) has \(id.rawValue): \(result.traceText)")
            waiting.removeValue(forKey: id)?(result)
        }
    }

    private func accept(_ summary: ConversationSummary) {
        if acceptsStrangers, summary.isPending { perform(.accept(summary.id)) }
    }

    private func scheduleWake() {
        wakeNumber += 1
        guard let due = messenger?.wakeDelay else { return }
        let delay = min(due, 3_600_000)
        world.schedule(.wake(client: index, incarnation, wakeNumber), after: delay)
    }

    func wake(_ number: Int) {
        guard number == wakeNumber else { return }
        put(.tick)
    }

    /// The device's clock was set. A wake-up that is on its way comes when it would have come.
    func moveClock(by change: Int64) { clockOffset += change }

    // MARK: People

    /// Asks the messenger for something, as the person would.
    func perform<Answer>(
        _ command: Command<Answer>, _ handler: @escaping (Result<Answer, KithError>) -> Void = { _ in }
    ) {
        guard isRunning else { return }
        lastCommand += 1
        let id = CommandID(rawValue: lastCommand)
        world.trace.note(world.now, "\(index) asks \(lastCommand): \(String(describing: command).prefix { $0 != "(" })")
        waiting[id] = { handler(Ticket(id).answer($0)) }
        put(.command(id, command))
    }

    // MARK: Connections

    func link(_ id: RelayID) -> SimulatedLink? { links[id] }

    var allLinks: [SimulatedLink] { links.values.sorted { $0.id < $1.id } }
}

extension Result<any Sendable, KithError> {
    /// What goes into the trace: nothing that depends on keys.
    fileprivate var traceText: String {
        switch self {
        case .success: "done"
        case .failure(let error): "\(String(describing: error).prefix(60))"
        }
    }
}
