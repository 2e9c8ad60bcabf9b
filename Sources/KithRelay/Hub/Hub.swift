import KithWire
import NIOCore

/// Decides every request. It owns the state of all channels and sessions, and works in rounds: it takes whatever has
/// queued, decides it against the state in memory, has the store commit the round's mutations in one group, takes over
/// what was committed, and hands each event loop its answers and entries.
///
/// While a round commits the next one queues: that is the group commit, and it needs no timer. Answers leave in the order
/// of their requests, after the commit that they depend on. Each round is a job of its own on the store's event loop:
/// whatever else wants that thread has its turn between two rounds, however long the load lasts.
///
/// A request that needs more than memory (a channel that is not loaded, an older epoch, a shelf) goes the slow way: its
/// channel is *busy* until it is done, and later requests on that channel wait behind it. Requests that need no right wait
/// elsewhere (``unproved``), so strangers keep nobody waiting.
actor Hub {
    nonisolated let unownedExecutor: UnownedSerialExecutor
    /// Keeps the executor alive.
    private nonisolated let executor: any SerialExecutor

    let store: any ChannelStore
    let limits: RelayLimits
    let metrics: RelayMetrics
    let relayPass: RelayPass?
    /// Milliseconds since 1970.
    let nowMs: @Sendable () -> UInt64
    /// Nanoseconds on a clock that nobody sets.
    let uptime: @Sendable () -> Int64
    private nonisolated let intake = HubIntake()
    private let deliver: @Sendable (Int, LoopBatch) -> Void
    let loops: Int

    var sessions: [ConnectionNumber: HubSession] = [:]
    var channels: [ChannelID: HubChannel] = [:]
    /// The order in which channels are forgotten when there are too many in memory.
    var turns = SecondChances<HubChannel>()
    var busy: [ChannelID: Busy] = [:]
    /// Requests that need no right and wait for a look at the store, by their channel. Each line has a task at work on it.
    var unproved: [ChannelID: [IntakeItem]] = [:]
    /// Requests that came back from the slow way and go before the next intake.
    var resumed: [IntakeItem] = []
    /// Requests left for a later round, so that no address fills this one.
    private var line = RoundLine()
    private var isDraining = false
    private var linger: Linger
    private(set) var isShuttingDown = false
    var slowTasks = 0
    /// Mutations decided on the slow way, which commit with the next round.
    private var joining: [(mutation: StoreMutation, outcome: CheckedContinuation<StoreOutcome, Never>)] = []
    /// The debts of addresses for loading, and the line for loading many entry ids at once.
    var charges: PlaceBuckets
    var largeLoads = OneAtATime()
    /// Each address's share of inboxes, and of the key packages taken from them.
    var shares: InboxShares
    var withdrawals: PlaceWithdrawals
    let idBounds: EntryIDWindow.Bounds
    /// Budgets of addresses, and the fill level of the store.
    var budgets: PlaceBudgets
    var level = StoreLevel.roomy
    private var looksAtSpaceAt = Int64.min
    /// The time by which things are old, and what it said when the last round began.
    var clock = KeepingClock()
    var keptMs: UInt64 = 0
    /// The time that new records are dated with: the later of ``keptMs`` and the machine's clock. So whichever of the two is
    /// right, nothing is taken for older than it is.
    var datingMs: UInt64 = 0
    /// The time that was noted last for the next start.
    var notedMs: UInt64 = 0
    /// Why the last commit failed; `nil` once one succeeds.
    var lastFailure: StoreFailure?

    /// The round being decided.
    var round = Round()
    private var batches: [LoopBatch]

    /// - Parameters:
    ///   - deliver: takes a batch to the event loop of that index.
    ///   - loops: how many event loops there are.
    init(
        store: any ChannelStore, limits: RelayLimits, metrics: RelayMetrics, relayPass: RelayPass?,
        nowMs: @escaping @Sendable () -> UInt64, uptime: @escaping @Sendable () -> Int64, loops: Int,
        deliver: @escaping @Sendable (Int, LoopBatch) -> Void
    ) {
        let executor = store.eventLoop.executor
        self.executor = executor
        unownedExecutor = executor.asUnownedSerialExecutor()
        self.store = store
        self.limits = limits
        self.metrics = metrics
        self.relayPass = relayPass
        self.nowMs = nowMs
        self.uptime = uptime
        charges = PlaceBuckets(ofLoadedEntryIDs: limits)
        shares = InboxShares(limits)
        withdrawals = PlaceWithdrawals(limits)
        idBounds = EntryIDWindow.Bounds(limits)
        budgets = PlaceBudgets(limits)
        // A single processor is needed by whoever brings the next request.
        linger = Linger(longest: .microseconds(System.coreCount > 1 ? Int64(limits.lingerMicroseconds) : 0))
        self.loops = loops
        self.deliver = deliver
        batches = Array(repeating: LoopBatch(), count: loops)
    }

    /// Milliseconds on a clock that nobody sets.
    var uptimeMs: UInt64 { UInt64(max(0, uptime() / 1_000_000)) }

    /// Queues what happened on connections of one address. Called from event loops.
    nonisolated func submit(_ items: [IntakeItem], from place: Place = "") {
        guard intake.add(items, from: place) else { return }
        // Onto the hub's own thread in one hop; a task from here would go over the global pool.
        store.eventLoop.execute { self.assumeIsolated { hub in hub.wake() } }
    }

    /// Begins a round, unless one goes on: then the next one follows it.
    func wake() {
        guard !isDraining else { return }
        isDraining = true
        startRound()
    }

    /// Puts a round at the end of the executor's line. It is enqueued from the executor's own thread, so it costs neither a
    /// hop nor a wake-up.
    private func startRound() {
        Task { await nextRound() }
    }

    private func nextRound() async {
        let earlier = resumed
        resumed = []
        let items = line.round(resumed: earlier, batches: intake.takeAll()) { sessions[$0]?.place }
        if !items.isEmpty || !joining.isEmpty {
            linger.roundBegins(at: .now())
            await runRound(items)
            linger.roundEnded(at: .now())
        }
        let isIdle = resumed.isEmpty && joining.isEmpty && line.isEmpty
        if isIdle && !isShuttingDown && linger.staysAwake(at: .now()) {
            // In short pieces, so that whoever else wants the thread does not wait for long.
            intake.wait(until: .now() + .microseconds(RelayLimits.lingerPieceMicroseconds))
        } else if isIdle && intake.sleepIfEmpty() {
            isDraining = false
            return
        }
        startRound()
    }

    private func runRound(_ items: [IntakeItem]) async {
        metrics.rounds.count()
        round = Round()
        round.nowMs = nowMs()
        round.uptime = uptime()
        readClock()
        if round.uptime >= looksAtSpaceAt {
            looksAtSpaceAt = round.uptime + RelayLimits.spaceLookNanoseconds
            slowly { hub in await hub.lookAtSpace() }
        }
        for item in items { decide(item) }
        let used = round.channels.count
        let outcomes = await commitRound()
        finishRound(outcomes)
        // More than what came.
        forgetIdleChannels(asking: max(RelayLimits.askedEachRound, 2 * used))
    }

    private func commitRound() async -> [StoreOutcome] {
        let joined = joining
        joining = []
        let mutations = round.mutations + joined.map(\.mutation)
        guard !mutations.isEmpty else { return [] }
        let start = NIODeadline.now()
        let outcomes = await store.commit(mutations)
        note(outcomes)
        metrics.commits.count()
        metrics.commitNanoseconds.count(Int((NIODeadline.now() - start).nanoseconds))
        for (index, joined) in joined.enumerated() {
            let place = round.mutations.count + index
            joined.outcome.resume(returning: outcomes.indices.contains(place) ? outcomes[place] : .missing)
        }
        return outcomes
    }

    /// Commits a mutation in the next round's group.
    func commitWithNextRound(_ mutation: StoreMutation) async -> StoreOutcome {
        await withCheckedContinuation { outcome in
            joining.append((mutation, outcome))
            wake()
        }
    }

    // MARK: After the commit

    private func finishRound(_ outcomes: [StoreOutcome]) {
        let round = self.round
        self.round = Round()
        var failed: Set<ChannelID> = []
        var retries: [IntakeItem] = []

        for answer in round.answers {
            guard let condition = answer.condition else {
                send(answer.reply, requestID: answer.requestID, to: answer.connection, effect: answer.effect)
                continue
            }
            switch outcomes.indices.contains(condition.mutation) ? outcomes[condition.mutation] : .missing {
            case .committed:
                send(answer.reply, requestID: answer.requestID, to: answer.connection, effect: answer.effect)
            case .conflict:
                failed.insert(condition.channel)
                giveBackRoom(of: condition.retry, from: answer.connection)
                retries.append(IntakeItem(connection: answer.connection, intake: .request(condition.retry)))
            case .failed(let failure):
                failed.insert(condition.channel)
                giveBackRoom(of: condition.retry, from: answer.connection)
                send(.error(RelayError(failure)), requestID: answer.requestID, to: answer.connection)
            }
        }
        for channel in round.channels {
            if failed.contains(channel.id) { forgetRound(of: channel) } else { takeOver(channel) }
        }
        for whisper in round.whispers where !failed.contains(whisper.channel.id) {
            broadcast(
                .whisper(epoch: whisper.epoch, payload: whisper.payload), of: whisper.channel.id,
                to: whisper.channel.followers)
        }
        resumed.append(contentsOf: retries)
        // Not before: what their connections asked earlier is durable now.
        for item in round.unproved { lineUp(item) }
        flush()
    }

    private func takeOver(_ channel: HubChannel) {
        let now = uptimeMs
        let (entries, followers) = changeIDs(of: channel) { $0.takeOverRound(uptimeMs: now) }
        metrics.entriesAccepted.count(entries.count)
        if entries.last?.kind == .turn {
            metrics.turnsAccepted.count()
            for number in followers.joined() { sessions[number]?.follows.remove(channel.id) }
        }
        broadcast(.entries(entries), of: channel.id, to: followers)
        noteUse(of: channel)
        if overCapacity(channel.head) { trim(channel.id) }
    }

    /// Part of the channel's round was not committed. What is durable is the store's to say: the channel is loaded again
    /// when it is needed next, and its followers read what they may have missed.
    private func forgetRound(of channel: HubChannel) {
        channel.forgetRound()
        reload(channel)
    }

    func broadcast(_ content: LoopBatch.Content, of channel: ChannelID, to followers: [[ConnectionNumber]]) {
        for loop in followers.indices where !followers[loop].isEmpty {
            batches[loop].broadcasts.append(
                LoopBatch.Broadcast(channel: channel, content: content, followers: followers[loop]))
        }
    }

    // MARK: Answers

    /// Sends an answer with the round's other output. Answers that must keep their place in a round go through
    /// ``Round/answers``.
    func send(
        _ reply: Reply, requestID: UInt32, to connection: ConnectionNumber, effect: LoopBatch.Effect = .none
    ) {
        guard let session = sessions[connection] else { return }
        if case .error(let error) = reply { metrics.count(error) }
        batches[session.loop].answers.append(
            LoopBatch.Answer(connection: connection, requestID: requestID, reply: reply, effect: effect))
    }

    /// Hands every event loop what has gathered for it, first those whose connections wait for entries.
    func flush() {
        for loop in batches.indices where !batches[loop].broadcasts.isEmpty { flush(loop) }
        for loop in batches.indices where !batches[loop].isEmpty { flush(loop) }
    }

    private func flush(_ loop: Int) {
        deliver(loop, batches[loop])
        batches[loop] = LoopBatch()
    }

    /// Tells all followers of a channel that it is gone, and forgets them.
    func endFollows(of channel: HubChannel) {
        let followers = channel.takeFollowers()
        for number in followers.joined() { sessions[number]?.follows.remove(channel.id) }
        broadcast(.gone, of: channel.id, to: followers)
    }

    // MARK: Shutting down

    /// Refuses everything from now on; what is being committed is still answered. Returns when nothing is under way.
    func shutDown() async {
        isShuttingDown = true
        while isDraining || slowTasks > 0 {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}

extension StoreOutcome {
    /// A store that gives too few outcomes has failed for the rest.
    fileprivate static let missing = StoreOutcome.failed(.io("no outcome"))
}
