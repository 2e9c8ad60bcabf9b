/// The faults of a simulation. Each probability is for one opportunity, such as one frame.
struct Faults: Sendable {
    /// Probability that a client crashes before it stores a step. Before each effect of a step, the client crashes with a third
    /// of this probability.
    var crash = 0.0
    /// Probability that a commit to a client's store fails.
    var storeFailure = 0.0
    /// Probability that a connection is lost during the transfer of a frame.
    var disconnect = 0.0
    /// Probability that a relay's store refuses a request.
    var unavailable = 0.0
    /// Longest transfer time of a frame, in milliseconds.
    var latencyMs = 40

    /// No faults.
    static let none = Faults()
}

/// The ranges for a schedule. A schedule takes each of its values from one of these ranges.
public struct SimulationProfile: Sendable {
    /// The number of people.
    var clients: ClosedRange<Int>
    /// The maximum number of groups.
    var conversations: ClosedRange<Int>
    /// The number of operations.
    var operations: ClosedRange<Int>
    /// The number of relays.
    var relays: ClosedRange<Int>
    /// A factor for the probabilities of faults. Many people have many opportunities for faults, so the factor is lower in a
    /// simulation with many people.
    var severity = 1.0
    /// Whether all people are members of one group from the beginning.
    var beginsWithGroupOfAll = false
    /// Whether the relays lie to one member about the entries before a turn.
    var liesBeforeTurns = false
    /// Whether people react to messages, edit, delete and pin them.
    var changesMessages = false

    /// Schedules with 2 to 6 people.
    public static let small = SimulationProfile(
        clients: 2...6, conversations: 1...3, operations: 20...40, relays: 1...2)
    /// Schedules with 3 to 6 people. Before a turn, the relays show wrong entries to one member.
    public static let lying = SimulationProfile(
        clients: 3...6, conversations: 1...3, operations: 30...60, relays: 1...2, liesBeforeTurns: true)
    /// Schedules with 2 to 6 people who often change messages that are already in the log.
    public static let changing = SimulationProfile(
        clients: 2...6, conversations: 1...3, operations: 40...80, relays: 1...2, changesMessages: true)
    /// Schedules with 50 to 60 people. All people are members of one group from the beginning.
    public static let large = SimulationProfile(
        clients: 50...60, conversations: 2...4, operations: 150...250, relays: 1...2, severity: 0.1,
        beginsWithGroupOfAll: true)
}
