/// How often what goes wrong. Probabilities, each time that it could.
struct Faults: Sendable {
    /// A client dies: before it stores, after it and before anything leaves, or between two things that leave.
    var crash = 0.0
    /// A client's disk refuses.
    var storeFailure = 0.0
    /// A connection is lost while a frame travels.
    var disconnect = 0.0
    /// A relay's store refuses a request for once.
    var unavailable = 0.0
    /// How long a frame travels at most, in milliseconds.
    var latencyMs = 40

    /// Nothing goes wrong.
    static let none = Faults()
}

/// What a schedule consists of.
public struct SimulationProfile: Sendable {
    /// How many people there are.
    var clients: ClosedRange<Int>
    /// How many conversations are begun at most.
    var conversations: ClosedRange<Int>
    /// How many things people do.
    var operations: ClosedRange<Int>
    /// How many relays there are.
    var relays: ClosedRange<Int>
    /// How often something goes wrong, compared with a small circle: with many people there are many occasions.
    var severity = 1.0
    /// Whether everybody is in one group from the beginning.
    var beginsWithGroupOfAll = false
    /// Whether the relays lie to one of them about the entries before a turn.
    var liesBeforeTurns = false

    /// 2 to 6 people.
    public static let small = SimulationProfile(
        clients: 2...6, conversations: 1...3, operations: 20...40, relays: 1...2)
    /// 3 to 6 people, whose relays show one of them other entries before a turn than the others.
    public static let lying = SimulationProfile(
        clients: 3...6, conversations: 1...3, operations: 30...60, relays: 1...2, liesBeforeTurns: true)
    /// 50 to 60 people with a group that they are all in.
    public static let large = SimulationProfile(
        clients: 50...60, conversations: 2...4, operations: 150...250, relays: 1...2, severity: 0.1,
        beginsWithGroupOfAll: true)
}
