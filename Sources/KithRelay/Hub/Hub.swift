import KithWire
import NIOCore

/// Decides every request, and owns the state of all channels and sessions.
///
/// The hub works in rounds. A round takes all queued events, decides them against the state in memory, has the store
/// commit the round's mutations as one group, publishes the committed changes, and hands each event loop its answers
/// and entries. While one round commits, the next one queues up: that is the group commit, and it needs no timer.
/// Answers leave in the order of their requests, after the commit that they depend on. Each round is a job of its own
/// on the store's event loop, so other work on that thread runs between two rounds, however long the load lasts.
///
/// A request that needs more than memory (a channel that is not loaded, an older epoch, a shelf) gets access to the
/// store in a task of its own. Its channel is *busy* until the task ends, and later requests about that channel wait.
/// Requests that need no right wait in queues of their own (``UnprovenRequests``), so strangers delay nobody.
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
    /// Nanoseconds on a monotonic clock.
    let uptime: @Sendable () -> Int64
    private nonisolated let queue = HubQueue()
    private let deliver: @Sendable (Int, RoundOutput) -> Void

    var sessions: [ConnectionNumber: HubSession] = [:]
    var channels: LoadedChannels
    var busy = BusyChannels()
    var unproven = UnprovenRequests()
    /// Requests that waited for the store. They go before the events in the queue.
    var resumed: [HubEvent] = []
    /// Events left for a later round, so that no network fills this one.
    private var fairQueue = FairQueue()
    private var isDraining = false
    private var spin: AdaptiveSpin
    private(set) var isShuttingDown = false
    /// Number of tasks that work with the store beside the rounds.
    var storeTasks = 0
    /// Mutations decided by those tasks, to be committed with the next round.
    private var pendingMutations: [(mutation: StoreMutation, outcome: CheckedContinuation<StoreOutcome, Never>)] = []
    /// Charges of addresses for entry ids that were loaded for them.
    var idLoads: SourceBuckets
    /// Admits loads of many entry ids one at a time.
    var largeLoads = SerialGate()
    /// Shares that addresses have of inboxes.
    var shares: InboxShares
    /// Key packages that addresses took from inboxes.
    var withdrawals: SourceWithdrawals
    let idBounds: EntryIDWindow.Bounds
    /// Budgets of addresses for what they store.
    var budgets: SourceBudgets
    let names: NamePolicy
    var health = StoreHealth()
    private var nextSpaceCheck = Int64.min
    var clock = HubClock()

    /// The round being decided.
    var round = HubRound()
    private var outputs: [RoundOutput]

    /// - Parameters:
    ///   - configuration: limits, pass and clocks.
    ///   - loops: number of event loops.
    ///   - deliver: takes an output to the event loop of that index.
    init(
        store: any ChannelStore, configuration: RelayConfiguration, metrics: RelayMetrics, loops: Int,
        deliver: @escaping @Sendable (Int, RoundOutput) -> Void
    ) {
        let executor = store.eventLoop.executor
        self.executor = executor
        unownedExecutor = executor.asUnownedSerialExecutor()
        let limits = configuration.limits
        self.store = store
        self.limits = limits
        self.metrics = metrics
        relayPass = configuration.relayPass
        nowMs = configuration.nowMs
        uptime = configuration.uptime
        channels = LoadedChannels(limits: limits, metrics: metrics, loops: loops)
        idLoads = SourceBuckets(ofLoadedEntryIDs: limits)
        shares = InboxShares(limits)
        withdrawals = SourceWithdrawals(limits)
        idBounds = EntryIDWindow.Bounds(limits)
        budgets = SourceBudgets(limits)
        names = NamePolicy(limits)
        // On a single processor, spinning would keep the next request from arriving.
        spin = AdaptiveSpin(longest: .microseconds(System.coreCount > 1 ? Int64(limits.spinMicroseconds) : 0))
        self.deliver = deliver
        outputs = Array(repeating: RoundOutput(), count: loops)
    }

    /// Milliseconds on a monotonic clock.
    var uptimeMs: UInt64 { UInt64(max(0, uptime() / 1_000_000)) }

    /// Queues events from connections of one source. Called from event loops.
    nonisolated func submit(_ items: [HubEvent], from source: ClientSource = "") {
        guard queue.add(items, from: source) else { return }
        // One hop to the hub's own thread. A task would go through the global pool.
        store.eventLoop.execute { self.assumeIsolated { hub in hub.wake() } }
    }

    /// Begins a round, unless one is under way: the next one follows it.
    func wake() {
        guard !isDraining else { return }
        isDraining = true
        startRound()
    }

    /// Enqueues a round behind the executor's other jobs. It is enqueued from the executor's own thread, so it costs
    /// neither a hop nor a wake-up.
    private func startRound() {
        Task { await nextRound() }
    }

    private func nextRound() async {
        let earlier = resumed
        resumed = []
        let items = fairQueue.round(resumed: earlier, batches: queue.takeAll()) { sessions[$0]?.source }
        if !items.isEmpty || !pendingMutations.isEmpty {
            spin.roundBegins(at: .now())
            await runRound(items)
            spin.roundEnded(at: .now())
        }
        let isIdle = resumed.isEmpty && pendingMutations.isEmpty && fairQueue.isEmpty
        if isIdle && !isShuttingDown && spin.keepsSpinning(at: .now()) {
            // In short slices, so that other work on the thread does not wait long.
            queue.spin(until: .now() + .microseconds(RelayLimits.spinSliceMicroseconds))
        } else if isIdle && queue.sleepIfEmpty() {
            isDraining = false
            return
        }
        startRound()
    }

    private func runRound(_ items: [HubEvent]) async {
        metrics.rounds.count()
        round = HubRound()
        round.nowMs = nowMs()
        round.uptime = uptime()
        readClock()
        if round.uptime >= nextSpaceCheck {
            nextSpaceCheck = round.uptime + RelayLimits.spaceCheckNanoseconds
            withStoreAccess { hub in await hub.checkSpace() }
        }
        for item in items { decide(item) }
        let used = round.channels.count
        let outcomes = await commitRound()
        finishRound(outcomes)
        // Examines more channels than the round brought in.
        evictChannels(examining: max(RelayLimits.examinedEachRound, 2 * used))
    }

    private func commitRound() async -> [StoreOutcome] {
        let pending = pendingMutations
        pendingMutations = []
        let mutations = round.mutations + pending.map(\.mutation)
        guard !mutations.isEmpty else { return [] }
        let start = NIODeadline.now()
        let outcomes = await store.commit(mutations)
        if health.note(outcomes) { metrics.commitFailures.count() }
        metrics.commits.count()
        metrics.commitNanoseconds.count(Int((NIODeadline.now() - start).nanoseconds))
        for (index, pending) in pending.enumerated() {
            let position = round.mutations.count + index
            pending.outcome.resume(returning: outcomes.indices.contains(position) ? outcomes[position] : .missing)
        }
        return outcomes
    }

    /// Commits a mutation in the next round's group.
    func commitWithNextRound(_ mutation: StoreMutation) async -> StoreOutcome {
        await withCheckedContinuation { outcome in
            pendingMutations.append((mutation, outcome))
            wake()
        }
    }

    // MARK: After the commit

    private func finishRound(_ outcomes: [StoreOutcome]) {
        let round = self.round
        self.round = HubRound()
        var failed: Set<ChannelID> = []
        var retries: [HubEvent] = []

        for answer in round.answers {
            guard let condition = answer.condition else {
                send(answer.reply, to: answer.address, effect: answer.effect)
                continue
            }
            switch outcomes.indices.contains(condition.mutation) ? outcomes[condition.mutation] : .missing {
            case .committed:
                send(answer.reply, to: answer.address, effect: answer.effect)
            case .conflict:
                failed.insert(condition.channel)
                giveBackRoom(of: condition.retry, from: answer.address.connection)
                retries.append(HubEvent(connection: answer.address.connection, event: .request(condition.retry)))
            case .failed(let failure):
                failed.insert(condition.channel)
                giveBackRoom(of: condition.retry, from: answer.address.connection)
                send(.error(RelayError(failure)), to: answer.address)
            }
        }
        for channel in round.channels {
            if failed.contains(channel.id) { discardRound(of: channel) } else { publish(channel) }
        }
        for whisper in round.whispers where !failed.contains(whisper.channel.id) {
            broadcast(
                .whisper(epoch: whisper.epoch, payload: whisper.payload), of: whisper.channel.id,
                to: whisper.channel.followers)
        }
        resumed.append(contentsOf: retries)
        // Only now: earlier requests of the same connections are durable.
        for item in round.unproven { enqueueUnproven(item) }
        flush()
    }

    /// Makes a channel's committed round its state, and sends the entries to its followers.
    private func publish(_ channel: HubChannel) {
        let now = uptimeMs
        let (entries, followers) = channels.changeIDs(of: channel) { $0.publishRound(uptimeMs: now) }
        metrics.entriesAccepted.count(entries.count)
        if entries.last?.kind == .turn {
            metrics.turnsAccepted.count()
            for number in followers.joined() { sessions[number]?.follows.remove(channel.id) }
        }
        broadcast(.entries(entries), of: channel.id, to: followers)
        noteUse(of: channel)
        if limits.isExceeded(by: channel.head) { trimExcess(of: channel.id) }
    }

    /// Discards a round that was committed only in part. The store decides what is durable: the channel is loaded
    /// again, and its followers read the entries that they may have missed.
    private func discardRound(of channel: HubChannel) {
        channel.discardRound()
        reload(channel)
    }

    func broadcast(_ content: RoundOutput.Content, of channel: ChannelID, to followers: [[ConnectionNumber]]) {
        for loop in followers.indices where !followers[loop].isEmpty {
            outputs[loop].broadcasts.append(
                RoundOutput.Broadcast(channel: channel, content: content, followers: followers[loop]))
        }
    }

    // MARK: Answers

    /// Answers in the round being decided: the answer keeps its place among the round's answers.
    func answer(_ reply: Reply, to address: ReplyAddress, effect: RoundOutput.Effect = .none) {
        round.answers.append(PendingAnswer(address: address, reply: reply, effect: effect))
    }

    /// Sends an answer with the next output, whatever the round has answered.
    func send(_ reply: Reply, to address: ReplyAddress, effect: RoundOutput.Effect = .none) {
        guard let session = sessions[address.connection] else { return }
        if case .error(let error) = reply { metrics.count(error) }
        outputs[session.loop].answers.append(
            RoundOutput.Answer(
                connection: address.connection, requestID: address.requestID, reply: reply, effect: effect))
    }

    /// Hands every event loop its output, first those whose connections wait for entries.
    func flush() {
        for loop in outputs.indices where !outputs[loop].broadcasts.isEmpty { flush(loop) }
        for loop in outputs.indices where !outputs[loop].isEmpty { flush(loop) }
    }

    private func flush(_ loop: Int) {
        deliver(loop, outputs[loop])
        outputs[loop] = RoundOutput()
    }

    // MARK: Health

    /// The reason for which the relay cannot serve every request, in a few words; `nil` if it can.
    func unreadiness() -> String? { isShuttingDown ? "shutting down" : health.obstacle }

    /// Number of times that damaged data was found since the start.
    func damages() async -> UInt64 {
        let stored = (try? await store.statistics())?.damages ?? 0
        return stored + UInt64(metrics.damagedReads.load(ordering: .relaxed))
    }

    // MARK: Shutting down

    /// Refuses all further requests; those being committed are still answered. Returns when nothing is under way.
    func shutDown() async {
        isShuttingDown = true
        while isDraining || storeTasks > 0 {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}

extension StoreOutcome {
    /// The outcome of a mutation for which the store returned none: the store has failed.
    fileprivate static let missing = StoreOutcome.failed(.io("no outcome"))
}
