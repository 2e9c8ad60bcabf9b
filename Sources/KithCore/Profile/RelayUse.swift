/// A relay, with counts of the profile's conversations and inboxes at this relay.
public struct RelayUse: Hashable, Sendable {
    /// The relay.
    public let relay: RelayPoint
    /// The number of this profile's conversations at the relay.
    public let conversations: Int
    /// The number of this profile's inboxes at the relay.
    public let inboxes: Int
}
