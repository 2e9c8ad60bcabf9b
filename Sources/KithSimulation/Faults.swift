/// Probabilities of faults, at each occasion.
struct Faults: Sendable {
    /// A client crashes: before it stores a step, before the step's first effect, or between two effects.
    var crash = 0.0
    /// A client's store fails.
    var storeFailure = 0.0
    /// A connection is lost while a frame travels.
    var disconnect = 0.0
    /// A relay's store refuses one request.
    var unavailable = 0.0
    /// Longest travel time of a frame, in milliseconds.
    var latencyMs = 40

    /// No faults.
    static let none = Faults()
}

/// The ranges that a schedule is drawn from.
public struct SimulationProfile: Sendable {
    /// The number of people.
    var clients: ClosedRange<Int>
    /// The largest number of groups that are made.
    var conversations: ClosedRange<Int>
    /// The number of operations.
    var operations: ClosedRange<Int>
    /// The number of relays.
    var relays: ClosedRange<Int>
    /// Factor on the probabilities of faults: many people have many occasions.
    var severity = 1.0
    /// Whether all people are in one group from the beginning.
    var beginsWithGroupOfAll = false
    /// Whether the relays lie to one member about the entries before a turn.
    var liesBeforeTurns = false

    /// 2 to 6 people.
    public static let small = SimulationProfile(
        clients: 2...6, conversations: 1...3, operations: 20...40, relays: 1...2)
    /// 3 to 6 people, whose relays show one member other entries before a turn than the others.
    public static let lying = SimulationProfile(
        clients: 3...6, conversations: 1...3, operations: 30...60, relays: 1...2, liesBeforeTurns: true)
    /// 50 to 60 people with a group of all.
    public static let large = SimulationProfile(
        clients: 50...60, conversations: 2...4, operations: 150...250, relays: 1...2, severity: 0.1,
        beginsWithGroupOfAll: true)
}
