import KithCore
import TestSupport

/// The result of one schedule.
public struct SimulationReport: Sendable {
    /// The schedule's seed.
    public let seed: UInt64
    /// The violated invariants, each described in a sentence.
    public let violations: [String]
    /// A hash of all events.
    public let trace: UInt64
    /// The lines of the trace; empty if the lines were not kept.
    public let traceLines: [String]
    /// The numbers of people, operations, texts, crashes of clients and of relays, lost connections, and events.
    public let clients, operations, texts, clientCrashes, relayCrashes, disconnects, events: Int
    /// Number of pairs of members for which it was checked whether one of the two has detected a lie. The relay showed the two
    /// members different entries before a turn. After the turn, the deceived member received a message from the other member.
    public let lies: Int
    /// Number of messages that devices show at the end as edited, deleted or pinned, or with reactions. Each message counts
    /// once for each device.
    public let changes: Int
}

extension Simulation {
    /// Runs the schedule of a seed.
    ///
    /// - Parameter keepsTrace: whether the report has the lines of the trace.
    public static func run(
        seed: UInt64, profile: SimulationProfile, keepsTrace: Bool = false
    ) -> SimulationReport {
        var random = SeededGenerator(seed: seed ^ 0x5eed)
        var limits = ModelLimits()
        // In one of seven schedules, relays keep few entries, or keep them for a short time.
        let keepsLittle = random.chance(0.14)
        if keepsLittle {
            if random.chance(0.5) {
                limits.channelEntries = random.pick(8...40)
            } else {
                limits.retentionSeconds = 86_400
            }
        }
        let simulation = Simulation(
            seed: seed, profile: profile, clients: random.pick(profile.clients), relays: random.pick(profile.relays),
            limits: limits)
        simulation.trace.keepsLines = keepsTrace
        if profile.liesBeforeTurns { simulation.lie(&random) }
        simulation.schedule(
            faults(&random, profile.severity), operations: random.pick(profile.operations),
            groups: random.pick(profile.conversations))
        simulation.comeToRest()
        // A lying relay continues to hold entries back, so a new invite would not work.
        if !profile.liesBeforeTurns { simulation.meetAgain() }
        simulation.checker.giveVerdict(mayMiss: keepsLittle)
        return simulation.report
    }

    var report: SimulationReport {
        SimulationReport(
            seed: seed, violations: violations, trace: trace.hash, traceLines: trace.lines, clients: clients.count,
            operations: counts.operations, texts: checker.said.count, clientCrashes: counts.crashes,
            relayCrashes: counts.relayCrashes, disconnects: counts.disconnects, events: counts.events,
            lies: checker.liesJudged, changes: checker.changedMessages)
    }

    /// Makes the relays lie to one member about the entries before a turn.
    private func lie(_ random: inout SeededGenerator) {
        let kinds = TurnLie.Kind.allCases
        let lie = TurnLie(
            kind: kinds[random.pick(0...kinds.count - 1)], victim: random.pick(0...clients.count - 1),
            turn: random.pick(2...6))
        checker.relaysAreHonest = false
        checker.lie = lie
        for relay in relays {
            let lies = RelayLies()
            lies.log = { [unowned self] _, connection, truth in
                wires[connection]?.link.client.index == lie.victim ? lie.log(truth) : nil
            }
            relay.model.lies = lies
        }
    }

    private static func faults(_ random: inout SeededGenerator, _ scale: Double) -> Faults {
        // Some schedules have no faults, so that only simultaneous operations can go wrong.
        let severity = [0, 0.3, 1, 1, 3][random.pick(0...4)] * scale
        return Faults(
            crash: 0.004 * severity, storeFailure: 0.001 * severity, disconnect: 0.004 * severity,
            unavailable: 0.003 * severity, latencyMs: [5, 40, 40, 400][random.pick(0...3)])
    }

    // MARK: Phases

    private func schedule(_ faults: Faults, operations: Int, groups: Int) {
        for client in clients {
            if random.chance(0.5) { client.clockOffset = anyClockOffset() }
            client.create()
        }
        let workload = Workload(self, operations: operations, mostGroups: groups)
        self.workload = workload
        if profile.beginsWithGroupOfAll { gatherAll(workload) } else { gather(workload, faults) }
        self.faults = faults
        schedule(.operation, after: 1)
        while !workload.isDone { run(until: now + 3_600_000) }
        run(until: now + 60_000)
    }

    /// Lets every person but the first join through an invite of an earlier person.
    private func gather(_ workload: Workload, _ faults: Faults) {
        self.faults = faults
        for client in clients.dropFirst() {
            let host = clients[random.pick(0...client.index - 1)]
            let known = workload.invites.count
            workload.invite(host, isReusable: random.chance(0.3))
            run(until: now + 4_000)
            let invite = workload.invites.count > known ? workload.invites.last?.invite : nil
            workload.join(client, invite)
            run(until: now + UInt64(random.pick(0...4_000)))
        }
    }

    /// Makes one person invite all others, and then create a group of all people.
    private func gatherAll(_ workload: Workload) {
        workload.invite(clients[0], isReusable: true)
        run(until: now + 5_000)
        for client in clients.dropFirst() {
            workload.join(client, workload.invites.last?.invite)
            run(until: now + 3_000)
        }
        run(until: now + 60_000)
        let all = clients[0].machine?.contactList.filter { $0.inbox != nil }.map(\.id) ?? []
        clients[0].perform(.createGroup(title: "all", relays[0].point, all))
        run(until: now + 60_000)
    }

    /// Returns a random error of a device's clock, in milliseconds. About half of the errors are at most about a day. The
    /// largest errors are about ten years.
    func anyClockOffset() -> Int64 {
        let day: Int64 = 86_400_000
        let mostDays = [0, 1, 1, 1, 3, 30, 100, 400, 3_653][random.pick(0...8)]
        return Int64(random.pick(-mostDays...mostDays)) * day + Int64(random.pick(-1_000_000...1_000_000))
    }

    /// Ends all faults, sets all clocks right, and connects all devices. After this, all old and new texts must arrive.
    func comeToRest() {
        faults = .none
        for client in clients { client.clockOffset = 0 }
        for relay in relays where !relay.isUp { run(until: now + 200_000) }
        for client in clients {
            goOnline(client)
            client.start()
        }
        run(until: now + 3 * 3_600_000)
        for client in clients {
            for summary in (try? client.machine?.conversationSummaries()) ?? [] where summary.status == .active {
                workload?.say(client, summary.id)
            }
            run(until: now + 500)
        }
        run(until: now + 3 * 3_600_000)
    }

    /// Checks that a new invite works, whatever happened before.
    func meetAgain() {
        let (host, guest) = (clients[0], clients[clients.count - 1])
        if let contact = guest.machine?.contactList.first(where: { $0.accountKey == host.account }), contact.isBlocked {
            guest.perform(.setBlocked(contact.id, false))
        }
        var joined: Result<ConversationID, KithError>?
        let expiresAt = host.localNow / 1000 + 86_400
        host.perform(.createInvite(relay: relays[0].point, isReusable: false, expiresAt: expiresAt)) { made in
            switch made {
            case .success(let open): guest.perform(.join(open.invite, name: nil)) { joined = $0 }
            case .failure(let error): joined = .failure(error)
            }
        }
        run(until: now + 3_600_000)
        guard case .success? = joined else {
            return reportViolation("\(guest.name) cannot use an invite of \(host.name): \(String(describing: joined))")
        }
    }
}
