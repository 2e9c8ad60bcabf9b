import KithWire
import MLS

/// The rules about Welcomes that depend on nothing but their arguments.
enum JoinPolicy {
    /// Whether a group is no larger and its tree no wider than a stranger may make this device work on.
    static func isSmallEnoughForStrangers(members: Int, leaves: Int) -> Bool {
        guard members <= ClientLimits.strangersGroup else { return false }
        return TreeWidthPolicy.strict.allows(leaves: leaves, members: members)
    }

    /// Whether a Welcome may bring back a conversation that is known here, as far as it is known before joining. A conversation that
    /// works is never taken over; one that ended, or is pending, is brought back on its own relay, by a later epoch.
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
