/// The probabilities of faults. Each applies whenever the fault could occur.
struct Faults: Sendable {
    /// A client crashes before it stores a step, before the step's first effect, or between two effects.
    var crash = 0.0
    /// A client's store fails.
    var storeFailure = 0.0
    /// A connection is lost during the transfer of a frame.
    var disconnect = 0.0
    /// A relay's store refuses one request.
    var unavailable = 0.0
    /// Longest transfer time of a frame, in milliseconds.
    var latencyMs = 40

    /// No faults.
    static let none = Faults()
}

/// The ranges from which a schedule is chosen.
public struct SimulationProfile: Sendable {
    /// The number of people.
    var clients: ClosedRange<Int>
    /// The maximum number of groups.
    var conversations: ClosedRange<Int>
    /// The number of operations.
    var operations: ClosedRange<Int>
    /// The number of relays.
    var relays: ClosedRange<Int>
    /// A factor for the probabilities of faults. It is lower for many people, because they have many occasions for faults.
    var severity = 1.0
    /// Whether all people are members of one group from the beginning.
    var beginsWithGroupOfAll = false
    /// Whether the relays lie to one member about the entries before a turn.
    var liesBeforeTurns = false

    /// 2 to 6 people.
    public static let small = SimulationProfile(
        clients: 2...6, conversations: 1...3, operations: 20...40, relays: 1...2)
    /// 3 to 6 people. Their relays show one member other entries before a turn than the other members.
    public static let lying = SimulationProfile(
        clients: 3...6, conversations: 1...3, operations: 30...60, relays: 1...2, liesBeforeTurns: true)
    /// 50 to 60 people with a group of all.
    public static let large = SimulationProfile(
        clients: 50...60, conversations: 2...4, operations: 150...250, relays: 1...2, severity: 0.1,
        beginsWithGroupOfAll: true)
}
