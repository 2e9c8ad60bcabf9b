/// A relay, with what of a profile is there.
public struct RelayUse: Hashable, Sendable {
    /// The relay.
    public let relay: RelayPoint
    /// The number of conversations that the relay has.
    public let conversations: Int
    /// The number of inboxes of this profile that the relay has.
    public let inboxes: Int
}
