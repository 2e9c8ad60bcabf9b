import KithCore
import KithWire
import MLS
import TestSupport

/// A device in a simulation. The device runs a ``ProfileMachine`` on a store in memory. It does the work that `Profile` does in
/// the program. It may crash or fail at any point.
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

    /// Whether the user accepts every conversation that a stranger begins, as soon as the device shows the conversation.
    var acceptsStrangers = true

    /// A function that is called with every committed transaction.
    var didStore: ((StoreTransaction) -> Void)?

    private(set) var machine: ProfileMachine?
    /// A number that increases with every start and stop. An event that was scheduled with an earlier number is ignored.
    private(set) var incarnation = 0
    private var links: [RelayID: SimulatedLink] = [:]
    private var mailbox: [ProfileInput] = []
    /// Size of the relays' messages in the mailbox, in bytes.
    private var unreadBytes = 0
    private var isDrainScheduled = false
    private var wakeNumber = 0
    private var lastCommand: UInt64 = 0
    /// Unfinished commands. A crash of the device ends the commands without a result.
    private(set) var waiting: [CommandID: (Result<any Sendable, KithError>) -> Void] = [:]
    /// Number of successive ticks that have changed nothing.
    private var idleTicks = 0

    init(_ index: Int, _ world: Simulation, random: SeededGenerator) {
        self.index = index
        self.world = world
        name = "p\(index)"
        source = random.source()
    }

    /// The time of the device's clock, in milliseconds since 1970.
    var localNow: UInt64 { UInt64(max(0, Int64(world.now) + clockOffset)) }

    var isRunning: Bool { machine != nil }

    // MARK: Starting and dying

    /// Creates the profile.
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

    /// Crashes the device. The disk of the device survives. Frames that the device has already sent may still arrive.
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

    /// Whether the client's connections have stopped reading because too many bytes are unread.
    var isFull: Bool { unreadBytes >= world.unreadBytes }

    /// Adds an input to the mailbox.
    ///
    /// - Parameter bytes: the size of the relay's message that contained the input; 0 if the input is not from a relay.
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

    /// Reports a violation if a device wakes up many times in succession without changing anything.
    private func checkProgress(_ inputs: [ProfileInput], _ output: ProfileOutput, _ machine: ProfileMachine) {
        guard inputs.allSatisfy({ if case .tick = $0 { true } else { false } }), output.transaction.isEmpty,
            output.effects.isEmpty
        else {
            idleTicks = 0
            return
        }
        // Longer intervals do not count. For example, a device checks every ten minutes whether a wrong clock has been set right.
        idleTicks = machine.wakeDelay.map { $0 < 60_000 } == true ? idleTicks + 1 : 0
        if machine.wakeDelay == 0 { world.reportViolation("\(name): a tick stays due") }
        if idleTicks > 1_000 {
            idleTicks = 0
            world.reportViolation("\(name): wakes up again and again and does nothing")
        }
    }

    /// Stores a step's transaction. Then performs the step's effects, unless the device crashes in between.
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
            // The previous effect may have stopped this device.
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
        // No simulated client sends or receives files.
        case .transfer, .endTransfer, .removeFile: break
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

    /// Changes the device's clock. Scheduled wake-ups keep their times.
    func moveClock(by change: Int64) { clockOffset += change }

    // MARK: Commands

    /// Passes a command to the machine.
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
    /// The result as it appears in the trace. The text contains no value that depends on keys.
    fileprivate var traceText: String {
        switch self {
        case .success: "done"
        case .failure(let error): "\(String(describing: error).prefix(60))"
        }
    }
}
