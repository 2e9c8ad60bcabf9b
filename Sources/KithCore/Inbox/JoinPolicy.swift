import KithWire
import MLS

/// The rules for joining a group with a Welcome. The results depend on the arguments only.
enum JoinPolicy {
    /// Whether a group is small enough for a Welcome from a stranger. The number of members and the number of leaves in the tree
    /// are limited. The two limits bound the work that a stranger can cause on this device.
    static func isSmallEnoughForStrangers(members: Int, leaves: Int) -> Bool {
        guard members <= ClientLimits.strangersGroup else { return false }
        return TreeWidthPolicy.strict.allows(leaves: leaves, members: members)
    }

    /// Whether a Welcome may add this device to a known conversation again. Only facts that are known before joining count.
    ///
    /// - If the conversation is accepted and active, is being created, or was left by this device, the result is `false`.
    /// - If this device was removed or replaced, or if the conversation has stopped or is pending, the result is `true` if the
    ///   Welcome names the conversation's own relay and leads to a later epoch than that of `record`.
    ///
    /// - Parameters:
    ///   - record: the record of the known conversation.
    ///   - own: the conversation's relay.
    ///   - epoch: the epoch that the client enters with the Welcome.
    ///   - relay: the relay that the Welcome names.
    static func mayRejoin(
        _ record: ConversationRecord, at own: RelayPoint?, epoch: UInt64, through relay: RelayPoint
    ) -> Bool {
        switch record.status {
        case .active: if record.consent == .given { return false }
        case .preparing, .left: return false
        case .removed, .replaced, .stopped: break
        }
        guard let own else { return false }
        return epoch > record.epoch && own.address == relay.address && own.pin == relay.pin
    }

    /// The members of a conversation at the time when this device lost the conversation.
    enum Membership {
        /// `other`: the account key of the other person; `nil` if it is unknown.
        case conversationOfTwo(other: AccountKey?, own: AccountKey)
        case group(members: Set<AccountKey>)
        /// This device does not know the group, because the device was restored from a backup. `isInviterKnown`: whether the
        /// inviter is a contact.
        case unknownGroup(isInviterKnown: Bool)
    }

    /// Returns whether an inviter may add this device to a conversation again.
    ///
    /// - In a conversation of two, the inviter must be the other person, and the Welcome's group must contain nobody else.
    /// - In a group, the inviter must have been a member.
    /// - If this device was restored and does not know the group, the inviter must be a contact.
    ///
    /// - Parameters:
    ///   - inviter: the account that made the Welcome; `nil` if it is unknown.
    ///   - membership: the members of the conversation at the time when this device lost it.
    ///   - members: the members of the Welcome's group.
    static func mayBringBack(
        inviter: AccountKey?, to membership: Membership, members: @autoclosure () -> Set<AccountKey>
    ) -> Bool {
        guard let inviter else { return false }
        switch membership {
        case .conversationOfTwo(let other, let own):
            return inviter == other && members() == [inviter, own]
        case .group(let before): return before.contains(inviter)
        case .unknownGroup(let isInviterKnown): return isInviterKnown
        }
    }
}
