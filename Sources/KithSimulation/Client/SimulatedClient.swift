import KithCore
import KithWire
import MLS
import TestSupport

/// A device in a simulation: a messenger over a store in memory, and the work of `Profile` around it, with crashes and failures
/// on the way.
final class SimulatedClient {
    let index: Int
    let name: String
    unowned let world: Simulation
    let store = MemoryProfileStore()
    private(set) var account: AccountKey?
    let source: RandomSource
    /// The error of the device's clock, in milliseconds.
    var clockOffset: Int64 = 0
    /// Whether the device has a network.
    var isOnline = true

    /// Whether the user accepts every conversation of a stranger as soon as it is shown.
    var acceptsStrangers = true

    /// Called with every committed transaction.
    var didStore: ((StoreTransaction) -> Void)?

    private(set) var machine: ProfileMachine?
    /// Increases with every start and stop. Events that were scheduled for an earlier number are ignored.
    private(set) var incarnation = 0
    private var links: [RelayID: SimulatedLink] = [:]
    private var mailbox: [ProfileInput] = []
    /// The bytes of the relays' messages in the mailbox.
    private var unreadBytes = 0
    private var isDrainScheduled = false
    private var wakeNumber = 0
    private var lastCommand: UInt64 = 0
    /// Commands without a result. They are lost when the device dies.
    private(set) var waiting: [CommandID: (Result<any Sendable, KithError>) -> Void] = [:]
    /// Ticks in a row that changed nothing.
    private var idleTicks = 0

    init(_ index: Int, _ world: Simulation, random: SeededGenerator) {
        self.index = index
        self.world = world
        name = "p\(index)"
        source = random.source()
    }

    /// Milliseconds since 1970, by the device's clock.
    var localNow: UInt64 { UInt64(max(0, Int64(world.now) + clockOffset)) }

    var isRunning: Bool { machine != nil }

    // MARK: Starting and dying

    /// Makes the profile.
    func create() {
        do {
            try store.commit(
                ProfileRecord.new(name: name, deviceName: "d", suite: Simulation.suite, now: localNow, random: source))
        } catch { world.reportViolation("\(name) cannot make a profile: \(error)") }
        start()
        account = machine?.identity.accountKey
    }

    func start() {
        guard machine == nil else { return }
        incarnation += 1
        world.trace.note(world.now, "start \(index)")
        do throws(KithError) {
            let machine = try ProfileMachine(
                opening: store, now: localNow, steady: world.now, random: source, sizes: world.sizes,
                folding: Simulation.folding)
            self.machine = machine
            let output = try machine.start(now: localNow, steady: world.now)
            carryOut(output)
            for summary in try self.machine?.conversationSummaries() ?? [] { accept(summary) }
        } catch {
            machine = nil
            world.reportViolation("\(name) cannot open its profile: \(error)")
        }
    }

    /// Crashes the device. Its disk and the frames that it sent remain.
    func die(_ why: String) {
        world.trace.note(world.now, "die \(index) \(why)")
        world.counts.crashes += 1
        stop()
        world.schedule(.start(client: index), after: UInt64(world.random.pick(1...20_000)))
    }

    private func stop() {
        machine = nil
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

    /// Whether so many bytes are unread that the client's connections stop reading.
    var isFull: Bool { unreadBytes >= world.unreadBytes }

    /// Puts an input in the mailbox.
    ///
    /// - Parameter bytes: the size of the relay's message that brought it; 0 if none did.
    func put(_ input: ProfileInput, bytes: Int = 0) {
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
        guard let machine, !inputs.isEmpty else { return }
        do throws(KithError) {
            let output = try machine.handle(inputs, now: localNow, steady: world.now)
            checkProgress(inputs, output, machine)
            world.checker.check(inputs, output, self)
            carryOut(output)
        } catch {
            world.reportViolation("\(name): a step throws: \(error)")
            die("error")
        }
    }

    /// Reports a device that wakes up again and again without a change.
    private func checkProgress(_ inputs: [ProfileInput], _ output: ProfileOutput, _ machine: ProfileMachine) {
        guard inputs.allSatisfy({ if case .tick = $0 { true } else { false } }), output.transaction.isEmpty,
            output.effects.isEmpty
        else {
            idleTicks = 0
            return
        }
        // Looking every ten minutes whether a wrong clock is right again is fine.
        idleTicks = machine.wakeDelay.map { $0 < 60_000 } == true ? idleTicks + 1 : 0
        if machine.wakeDelay == 0 { world.reportViolation("\(name): a tick stays due") }
        if idleTicks > 1_000 {
            idleTicks = 0
            world.reportViolation("\(name): wakes up again and again and does nothing")
        }
    }

    /// Stores a step's transaction and then carries out its effects, unless the device crashes in between.
    private func carryOut(_ output: ProfileOutput) {
        if world.random.chance(world.faults.crash) { return die("before storing") }
        if !output.transaction.isEmpty {
            let fails = world.random.chance(world.faults.storeFailure)
            store.failCommits(with: fails ? .full : nil)
            do throws(StoreError) {
                try store.commit(output.transaction)
            } catch { return die("store") }
            world.checker.didStore(output.transaction, self)
            didStore?(output.transaction)
        }
        let incarnation = incarnation
        for effect in output.effects {
            if world.random.chance(world.faults.crash / 3) { return die("between effects") }
            carryOut(effect)
            // The effect may have ended this device.
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
            world.checker.willSend(request, self)
            links[id]?.request(request, tag: tag)
        case .follow(let id, let tag, let channel, let epoch, let fromSeq):
            links[id]?.follow(FollowTarget(channel, epoch: epoch, fromSeq: fromSeq), tag: tag)
        case .unfollow(let id, let tag): links[id]?.unfollow(tag)
        case .event(let event):
            world.checker.didTell(event, self)
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
        guard let due = machine?.wakeDelay else { return }
        let delay = min(due, 3_600_000)
        world.schedule(.wake(client: index, incarnation, wakeNumber), after: delay)
    }

    func wake(_ number: Int) {
        guard number == wakeNumber else { return }
        put(.tick)
    }

    /// Sets the device's clock. A scheduled wake-up keeps its time.
    func moveClock(by change: Int64) { clockOffset += change }

    // MARK: Commands

    /// Gives the messenger a command.
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
    /// The text for the trace, without anything that depends on keys.
    fileprivate var traceText: String {
        switch self {
        case .success: "done"
        case .failure(let error): "\(String(describing: error).prefix(60))"
        }
    }
}
