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

    /// The members that a conversation had when this device lost it.
    enum Membership {
        /// `other`: the other person; `nil` if unknown.
        case conversationOfTwo(other: AccountKey?, own: AccountKey)
        case group(members: Set<AccountKey>)
        /// A device that was restored from a backup does not know the group. `isInviterKnown`: whether the inviter is a contact.
        case unknownGroup(isInviterKnown: Bool)
    }

    /// Whether an inviter may bring back a conversation. The inviter must have been a member. In a conversation of two, the
    /// inviter must be the other person, and nobody else may be in the group. Any contact may add a restored device.
    ///
    /// - Parameters:
    ///   - inviter: the account that made the Welcome; `nil` if unknown.
    ///   - members: the members of the group that the Welcome leads to.
    static func mayBringBack(
        inviter: AccountKey?, to membership: Membership, members: Set<AccountKey>
    ) -> Bool {
        guard let inviter else { return false }
        switch membership {
        case .conversationOfTwo(let other, let own):
            return inviter == other && members == [inviter, own]
        case .group(let before): return before.contains(inviter)
        case .unknownGroup(let isInviterKnown): return isInviterKnown
        }
    }
}
