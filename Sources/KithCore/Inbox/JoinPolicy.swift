import KithWire
import MLS

/// Rules about Welcomes that depend only on their arguments.
enum JoinPolicy {
    /// Whether a group has few enough members, and its tree few enough leaves, for a stranger to make this device process it.
    static func isSmallEnoughForStrangers(members: Int, leaves: Int) -> Bool {
        guard members <= ClientLimits.strangersGroup else { return false }
        return TreeWidthPolicy.strict.allows(leaves: leaves, members: members)
    }

    /// Whether a Welcome may bring back a known conversation, as far as can be judged before joining. A conversation that is
    /// accepted and active, is being made, or was left is never taken over. One that was removed, has stopped or is pending
    /// returns only on its own relay, with a later epoch.
    ///
    /// - Parameters:
    ///   - own: the conversation's relay.
    ///   - epoch: the epoch that the Welcome leads to.
    ///   - relay: the relay that the Welcome names.
    static func mayRejoin(
        _ record: ConversationRecord, at own: RelayPoint?, epoch: UInt64, through relay: RelayPoint
    ) -> Bool {
        switch record.status {
        case .active: if record.consent == .given { return false }
        case .preparing, .left: return false
        case .removed, .stopped: break
        }
        guard let own else { return false }
        return epoch > record.epoch && own.address == relay.address && own.pin == relay.pin
    }
}
