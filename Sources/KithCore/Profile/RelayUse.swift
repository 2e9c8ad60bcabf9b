/// A relay, and the use that a profile makes of it.
public struct RelayUse: Hashable, Sendable {
    /// The relay.
    public let relay: RelayPoint
    /// The number of this profile's conversations at the relay.
    public let conversations: Int
    /// The number of this profile's inboxes at the relay.
    public let inboxes: Int
}
