import KithCore

/// The writes that each of several messages causes at its sender, recorded in a simulated group. A benchmark can repeat the
/// recorded writes.
public struct SendRecording: Sendable {
    /// All values that the sender stored before the first message.
    package private(set) var before = StoreTransaction()
    /// For each message, the sender's transactions until the message is in the log.
    package private(set) var messages: [[StoreTransaction]] = []

    /// The reason why a recording failed.
    public struct Failure: Error, CustomStringConvertible {
        /// One sentence about the failure.
        public let description: String
    }

    /// Creates a group, and records what its creator's device writes when the creator sends messages. The other members are
    /// offline.
    ///
    /// - Parameters:
    ///   - members: the number of members, at least 2.
    ///   - count: the number of messages.
    public init(members: Int, messages count: Int) throws {
        let simulation = Simulation(seed: 4, profile: .small, clients: members, relays: 1)
        let workload = Workload(simulation, operations: 0, mostGroups: 0)
        simulation.workload = workload
        func wait(_ seconds: UInt64) { simulation.run(until: simulation.now + seconds * 1_000) }
        let maker = simulation.clients[0]
        maker.create()
        workload.invite(maker, isReusable: true)
        wait(5)
        guard let invite = workload.invites.first?.invite else { throw Failure(description: "there is no invite") }
        for client in simulation.clients.dropFirst() {
            client.create()
            workload.join(client, invite)
            wait(10)
            simulation.goOffline(client)
        }
        let contacts = maker.machine?.contactList.map(\.id) ?? []
        maker.perform(.createGroup(title: "group", simulation.relays[0].point, contacts))
        wait(600)
        let summaries = try maker.machine?.conversationSummaries() ?? []
        guard let group = summaries.first(where: { $0.contact == nil }), group.memberCount == members else {
            throw Failure(description: "the group was not made")
        }
        func say() {
            maker.perform(
                .send(group.id, text: "See you at eight, at the usual place", replyTo: nil, expiresAfter: nil))
            wait(20)
        }
        // The first message of an epoch also creates the sender's ratchet, so it is sent before the recording.
        say()
        for table in StoreTable.allCases {
            for value in try maker.store.allValues(table) {
                before.put(StoreKey(table, owner: value.owner, item: value.item), value.bytes)
            }
        }
        for _ in 0..<count {
            var transactions: [StoreTransaction] = []
            maker.didStore = { transactions.append($0) }
            say()
            maker.didStore = nil
            messages.append(transactions)
        }
        guard simulation.violations.isEmpty, messages.allSatisfy({ !$0.isEmpty }) else {
            throw Failure(description: "something went wrong: \(simulation.violations)")
        }
    }

    /// The average number of bytes written for a message.
    public var bytesOfMessage: Double {
        let writes = messages.joined().flatMap(\.writes)
        let bytes = writes.reduce(0) { sum, write in
            if case .put(_, let value) = write { sum + value.count } else { sum }
        }
        return Double(bytes) / Double(max(1, messages.count))
    }
}
