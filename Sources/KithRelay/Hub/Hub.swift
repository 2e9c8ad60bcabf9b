import KithWire
import NIOCore

/// Decides every request. The hub owns the state of all channels and sessions.
///
/// The hub works in rounds. A round takes all queued events and decides them against the state in memory. The store commits the
/// round's mutations as one group. Then the hub publishes the committed changes, and passes each event loop its answers and
/// entries. While one round commits, the events for the next round arrive in the queue, so the hub groups commits without a
/// timer. Answers are sent in the order of the requests. An answer that depends on a commit is sent after the commit. Each round
/// is a separate job on the store's event loop, so other jobs of the event loop can run between two rounds, even under constant
/// load.
///
/// Some requests need data that is not in memory: a channel that is not loaded, an older epoch, or a shelf of key packages. For
/// each of these requests, a separate task reads the store. The request's channel is *busy* until the task ends. Later requests
/// about a busy channel wait. Requests that require no access right wait in a separate queue (``UnprovenRequests``), so
/// strangers do not delay clients with rights.
actor Hub {
    nonisolated let unownedExecutor: UnownedSerialExecutor
    /// The actor refers to its executor without keeping it alive. This property keeps the executor alive.
    private nonisolated let executor: any SerialExecutor

    let store: any ChannelStore
    let limits: RelayLimits
    let metrics: RelayMetrics
    let relayPass: RelayPass?
    /// The relay's blobs; `nil` if the relay keeps no blobs.
    let blobs: BlobService?
    /// Returns the time by the machine's clock, in milliseconds since 1970.
    let nowMs: @Sendable () -> UInt64
    /// Returns the time on a monotonic clock, in nanoseconds.
    let uptime: @Sendable () -> Int64
    private nonisolated let queue = HubQueue()
    private let deliver: @Sendable (Int, RoundOutput) -> Void

    var sessions: [ConnectionNumber: HubSession] = [:]
    var channels: LoadedChannels
    var busy = BusyChannels()
    var unproven = UnprovenRequests()
    /// Requests that waited for the store. The next round decides these requests before the events in the queue.
    var resumed: [HubEvent] = []
    /// Events that wait for a later round. The queue keeps one network from filling the current round.
    private var fairQueue = FairQueue()
    private var isDraining = false
    private var spin: AdaptiveSpin
    private(set) var isShuttingDown = false
    /// Number of tasks that use the store at the same time as the rounds.
    var storeTasks = 0
    /// Mutations that tasks outside of the rounds have decided. The next round commits these mutations.
    private var pendingMutations: [(mutation: StoreMutation, outcome: CheckedContinuation<StoreOutcome, Never>)] = []
    /// Limits how many entry ids the store loads for each address.
    var idLoads: SourceBuckets
    /// Lets only one large load of entry ids run at a time.
    var largeLoads = SerialGate()
    /// The space that each address takes in each inbox.
    var shares: InboxShares
    /// Counts the key packages that addresses took from inboxes.
    var withdrawals: SourceWithdrawals
    let idBounds: EntryIDWindow.Bounds
    /// The budgets of addresses for the data that they store.
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
    ///   - deliver: passes an output to the event loop with the given index.
    init(
        store: any ChannelStore, blobs: BlobService? = nil, configuration: RelayConfiguration, metrics: RelayMetrics,
        loops: Int, deliver: @escaping @Sendable (Int, RoundOutput) -> Void
    ) {
        let executor = store.eventLoop.executor
        self.executor = executor
        unownedExecutor = executor.asUnownedSerialExecutor()
        let limits = configuration.limits
        self.store = store
        self.limits = limits
        self.metrics = metrics
        relayPass = configuration.relayPass
        self.blobs = blobs
        nowMs = configuration.nowMs
        uptime = configuration.uptime
        channels = LoadedChannels(limits: limits, metrics: metrics, loops: loops)
        idLoads = SourceBuckets(ofLoadedEntryIDs: limits)
        shares = InboxShares(limits)
        withdrawals = SourceWithdrawals(limits)
        idBounds = EntryIDWindow.Bounds(limits)
        budgets = SourceBudgets(limits)
        names = NamePolicy(limits)
        // With a single processor, a spinning hub would keep the next request from arriving.
        spin = AdaptiveSpin(longest: .microseconds(System.coreCount > 1 ? Int64(limits.spinMicroseconds) : 0))
        self.deliver = deliver
        outputs = Array(repeating: RoundOutput(), count: loops)
    }

    /// The time on a monotonic clock, in milliseconds.
    var uptimeMs: UInt64 { UInt64(max(0, uptime() / 1_000_000)) }

    /// Queues events from connections of one source. Called from event loops.
    nonisolated func submit(_ items: [HubEvent], from source: ClientSource = "") {
        guard queue.add(items, from: source) else { return }
        // This schedules the hub directly on its own thread. A task would first run on the global pool.
        store.eventLoop.execute { self.assumeIsolated { hub in hub.wake() } }
    }

    /// Begins a round if no round is under way. A round under way starts the next round itself.
    func wake() {
        guard !isDraining else { return }
        isDraining = true
        startRound()
    }

    /// Enqueues a round after the executor's other jobs. The caller is on the executor's own thread, so no thread has to be
    /// woken.
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
            // The hub spins in short slices, so that other work on the thread does not wait long.
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
        // Eviction examines more channels than the round has changed, so that the number of channels in memory shrinks.
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

    /// Commits a mutation together with the next round.
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
        // Now all earlier requests of the same connections are durable, so these requests can follow.
        for item in round.unproven { enqueueUnproven(item) }
        flush()
    }

    /// Updates the channel's state, and sends the round's entries to the channel's followers. Called after the round was
    /// committed.
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

    /// Discards the changes of a round that was committed only in part. Only the store knows which changes are durable, so the
    /// hub loads the channel again, and the followers read missed entries from the store.
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

    /// Adds an answer to the current round, after the answers that the round already has.
    func answer(_ reply: Reply, to address: ReplyAddress, effect: RoundOutput.Effect = .none) {
        round.answers.append(PendingAnswer(address: address, reply: reply, effect: effect))
    }

    /// Sends an answer with the next output. The answer does not wait for the round's commit.
    func send(_ reply: Reply, to address: ReplyAddress, effect: RoundOutput.Effect = .none) {
        guard let session = sessions[address.connection] else { return }
        if case .error(let error) = reply { metrics.count(error) }
        outputs[session.loop].answers.append(
            RoundOutput.Answer(
                connection: address.connection, requestID: address.requestID, reply: reply, effect: effect))
    }

    /// Passes every event loop its output. Event loops with connections that wait for entries are served first.
    func flush() {
        for loop in outputs.indices where !outputs[loop].broadcasts.isEmpty { flush(loop) }
        for loop in outputs.indices where !outputs[loop].isEmpty { flush(loop) }
    }

    private func flush(_ loop: Int) {
        deliver(loop, outputs[loop])
        outputs[loop] = RoundOutput()
    }

    // MARK: Health

    /// Returns the reason why the relay cannot serve every request, in a few words; `nil` if the relay can serve every request.
    func unreadiness() -> String? { isShuttingDown ? "shutting down" : health.obstacle }

    /// Number of times that damaged data was found since the start.
    func damages() async -> UInt64 {
        let stored = (try? await store.statistics())?.damages ?? 0
        return stored + UInt64(metrics.damagedReads.load(ordering: .relaxed))
    }

    // MARK: Shutting down

    /// Refuses all further requests. The hub still answers the requests that are being committed. This call returns when no
    /// request is under way.
    func shutDown() async {
        isShuttingDown = true
        while isDraining || storeTasks > 0 {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}

extension StoreOutcome {
    /// The outcome of a mutation for which the store returned no outcome. A store that returns no outcome has failed.
    fileprivate static let missing = StoreOutcome.failed(.io("no outcome"))
}
